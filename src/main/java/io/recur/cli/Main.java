package io.recur.cli;

import io.recur.device.Device;
import io.recur.device.DeviceException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;

/**
 * The {@code recur} command. Results go to standard output, everything else to standard error. Exit
 * status 0: done, also if the reader of a pipe closed it; 1: failed; 2: the command line is wrong;
 * 130 and 143: ended by Ctrl-C or SIGTERM, a training after it was saved, a server after its
 * answers.
 */
@Command(
    name = "recur",
    description = "Recurrent neural networks on native memory.",
    mixinStandardHelpOptions = true,
    version = "recur 0.1.0",
    exitCodeListHeading = "Exit status:%n",
    exitCodeList = {
      "0:done, also where the reader of a pipe had enough",
      "1:it could not be done; standard error says why",
      "2:the command line is wrong",
      "130, 143:ended by Ctrl-C or SIGTERM, a training after it was saved"
    })
public final class Main {
  /** OpenBLAS's stack frames are larger than the default stacks of some JVMs. */
  private static final long STACK_BYTES = 64L << 20;

  private static final List<String> COMMANDS =
      List.of("train", "sample", "info", "convert", "run", "serve", "devices");

  /** Those that compute, as a rule on the processor. */
  private static final List<String> COMPUTING = List.of("train", "sample", "run", "serve");

  private Main() {}

  /**
   * Runs the command and exits with its status.
   *
   * @param arguments the arguments of the command line
   * @throws InterruptedException if the thread is interrupted
   */
  public static void main(String[] arguments) throws InterruptedException {
    Locale.setDefault(Locale.ROOT); // programs can read every printed figure
    if (System.err.charset().equals(StandardCharsets.US_ASCII)) {
      FileOutputStream err = new FileOutputStream(FileDescriptor.err);
      System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
    }
    int[] status = {1};
    try {
      Thread work = new Thread(null, () -> status[0] = started(arguments), "recur", STACK_BYTES);
      work.start();
      work.join();
    } catch (Error e) { // no memory for a thread
      System.err.println(Failure.line(e));
    }
    System.exit(status[0]);
  }

  private static int started(String[] arguments) {
    if (arguments.length > 0 && COMPUTING.contains(arguments[0])) {
      Thread libraries = new Thread(Main::loadLibraries, "recur libraries");
      libraries.setDaemon(true);
      libraries.start();
    }
    try {
      String mangled = PosixLocale.mangled(arguments).orElse(null);
      if (mangled != null) {
        System.err.println("recur: " + mangled);
        return 2;
      }
      // Write UTF-8 in a POSIX locale too, where Java would write a question mark for an é.
      Charset charset = System.out.charset();
      return run(
          new FileOutputStream(FileDescriptor.out),
          charset.equals(StandardCharsets.US_ASCII) ? StandardCharsets.UTF_8 : charset,
          arguments);
    } catch (IOException | Error e) {
      System.err.println(Failure.line(e));
      return 1;
    }
  }

  /** Loads the processor's libraries while picocli reads the command line. */
  private static void loadLibraries() {
    try {
      Device.load();
    } catch (DeviceException e) {
      return; // the command tries again, and says why it cannot
    }
  }

  /** Runs the command in this JVM and returns its exit status. */
  static int run(OutputStream out, Charset charset, String... arguments) {
    Results results = new Results(out);
    PrintWriter writer = new PrintWriter(new OutputStreamWriter(results, charset), true);
    CommandLine line = new CommandLine(new Main());
    addCommands(line, arguments.length > 0 ? arguments[0] : "");
    line.setOut(writer);
    line.setErr(new PrintWriter(System.err, true));
    line.setExpandAtFiles(false); // '@note' is an argument, not a file of arguments
    line.setParameterExceptionHandler((wrong, words) -> misused(wrong));
    line.setExecutionExceptionHandler((failure, command, parsed) -> failed(command, failure));
    if (arguments.length == 0) {
      line.usage(line.getErr());
      return 2;
    }
    int status = executed(line, arguments);
    writer.flush();
    @Nullable IOException loss = results.loss();
    if (loss != null) {
      line.getErr().println("recur: standard output: " + Printable.of("" + loss.getMessage()));
      line.getErr().flush();
      return 1;
    }
    return status;
  }

  /** Adds the command that is called, or all: picocli takes long to read one's annotations. */
  private static void addCommands(CommandLine line, String called) {
    for (String name : COMMANDS) {
      if (name.equals(called) || !COMMANDS.contains(called)) {
        line.addSubcommand(name, command(name));
      }
    }
  }

  private static Callable<Integer> command(String name) {
    return switch (name) {
      case "train" -> new TrainCommand();
      case "sample" -> new SampleCommand();
      case "info" -> new InfoCommand();
      case "convert" -> new ConvertCommand();
      case "run" -> new RunCommand();
      case "serve" -> new ServeCommand();
      case "devices" -> new DevicesCommand();
      default -> throw new IllegalArgumentException("command " + name);
    };
  }

  private static int executed(CommandLine line, String[] arguments) {
    try {
      return line.execute(arguments);
    } catch (Error e) { // the handler receives only exceptions
      return failed(line, e);
    }
  }

  /** Says what is wrong with the command line, and which command shows the help. */
  private static int misused(ParameterException wrong) {
    CommandLine command = wrong.getCommandLine();
    PrintWriter err = command.getErr();
    err.println("recur: " + Printable.of(wrong.getMessage()));
    err.println(command.getCommandSpec().qualifiedName() + " --help shows what it takes");
    err.flush();
    return command.getCommandSpec().exitCodeOnInvalidInput();
  }

  private static int failed(CommandLine command, Throwable failure) {
    command.getErr().println(Failure.line(failure));
    command.getErr().flush();
    return command.getCommandSpec().exitCodeOnExecutionException();
  }
}
