package io.recur.cli;

import io.recur.device.DeviceException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.util.stream.Collectors;

/** Describes a failure to the user, in one line and without names of Java classes. */
final class Failure {
  private static final int MEGABYTE = 1 << 20;

  private Failure() {}

  static String line(Throwable failure) {
    String cause = cause(failure);
    return "recur: "
        + (failure instanceof DeviceException // a compiler's log, a list of places
            ? cause.lines().map(Printable::of).collect(Collectors.joining(System.lineSeparator()))
            : Printable.of(cause));
  }

  /** {@return what happened or why, without the command's name} */
  static String cause(Throwable failure) {
    return switch (failure) {
      case UncheckedIOException wrapped -> cause(wrapped.getCause());
      case NoSuchFileException missing -> missing.getFile() + ": there is no such file";
      case AccessDeniedException denied -> denied.getFile() + ": permission denied";
      case FileSystemException other when other.getReason() != null ->
          other.getFile() + ": " + other.getReason();
      case IOException other -> "input or output failed: " + other.getMessage();
      case InvalidPathException path -> path.getInput() + ": it names no file: " + path.getReason();
      case Error error -> error(error);
      default -> isOurs(failure) ? failure.getMessage() : failure.toString();
    };
  }

  private static boolean isOurs(Throwable failure) {
    return failure instanceof IllegalArgumentException
        || failure instanceof IllegalStateException
        || failure instanceof ArithmeticException
        || failure instanceof DeviceException;
  }

  private static String error(Error error) {
    return switch (error) {
      case OutOfMemoryError memory ->
          "out of memory: %s, heap=%d MB; take a shorter text or a smaller model, or give more: java -Xmx16g -jar …"
              .formatted(memory.getMessage(), Runtime.getRuntime().maxMemory() / MEGABYTE);
      case StackOverflowError stack ->
          "the stack is full; give more: java -XX:ThreadStackSize=KILOBYTES -jar …";
      case ExceptionInInitializerError first when first.getCause() != null ->
          cause(first.getCause());
      case LinkageError linkage ->
          "a class cannot be loaded: %s; run the whole recur-cli.jar, on a JDK 22 or later"
              .formatted(linkage);
      default -> error.toString();
    };
  }
}
