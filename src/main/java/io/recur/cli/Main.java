package io.recur.cli;

import io.recur.device.DeviceException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/**
 * The {@code recur} command. Results go to standard output, all else to standard error. Exit status
 * 0: done; 1: it could not be done; 2: the command line is wrong.
 */
@Command(
    name = "recur",
    description = "Recurrent neural networks on native memory.",
    mixinStandardHelpOptions = true,
    version = "recur 0.1.0",
    subcommands = {
      TrainCommand.class,
      SampleCommand.class,
      InfoCommand.class,
      DevicesCommand.class
    })
public final class Main {
  /** OpenBLAS's frames are larger than some JVMs' default stacks. */
  private static final long STACK_BYTES = 64L << 20;

  private Main() {}

  /**
   * Runs the command and ends the JVM with its status.
   *
   * @param arguments of the command line
   * @throws InterruptedException if the JVM is going down
   */
  public static void main(String[] arguments) throws InterruptedException {
    int[] status = {1};
    Thread work = new Thread(null, () -> status[0] = run(arguments), "recur", STACK_BYTES);
    work.start();
    work.join();
    System.exit(status[0]);
  }

  /** Runs the command in this JVM; its exit status. */
  static int run(String... arguments) {
    CommandLine line = new CommandLine(new Main());
    line.setExecutionExceptionHandler(
        (failure, command, parsed) -> {
          PrintWriter err = command.getErr();
          err.println("recur: " + message(failure));
          err.flush();
          return command.getCommandSpec().exitCodeOnExecutionException();
        });
    if (arguments.length == 0) {
      line.usage(line.getErr());
      return 2;
    }
    return line.execute(arguments);
  }

  /** What a user needs to know, without the names of Java's classes. */
  private static String message(Throwable failure) {
    if (failure instanceof UncheckedIOException) {
      return message(failure.getCause());
    }
    if (failure instanceof NoSuchFileException missing) {
      return missing.getFile() + ": there is no such file";
    }
    if (failure instanceof AccessDeniedException denied) {
      return denied.getFile() + ": permission denied";
    }
    if (failure instanceof FileSystemException other && other.getReason() != null) {
      return other.getFile() + ": " + other.getReason();
    }
    if (failure instanceof IOException) {
      return "input or output failed: " + failure.getMessage();
    }
    return ours(failure) ? failure.getMessage() : failure.toString();
  }

  private static boolean ours(Throwable failure) {
    return failure instanceof IllegalArgumentException
        || failure instanceof IllegalStateException
        || failure instanceof ArithmeticException
        || failure instanceof DeviceException;
  }
}
