package io.recur.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Saves a training at intervals. A save that fails is reported; the next one tries again. */
final class Saving {
  private final CharacterTraining training;
  private final Path out;
  private final PrintWriter err;
  private @Nullable String failure;

  Saving(CharacterTraining training, Path out, PrintWriter err) {
    this.training = training;
    this.out = out;
    this.err = err;
  }

  /**
   * Saves the training.
   *
   * @param bits the bits per character of the held-out text, or NaN if they were not measured
   * @throws ArithmeticException if the model's scores are not finite; the file is then unchanged
   */
  void save(double bits) {
    try {
      training.save(out, bits);
      failure = null;
    } catch (IOException e) {
      String cause = Failure.cause(e);
      failure = cause.contains(out.toString()) ? cause : out + ": " + cause;
      err.println();
      err.println("recur: not saved: " + Printable.of(failure));
      err.flush();
    }
  }

  /** {@return why the last save failed, with the file's name, or null} */
  @Nullable String failure() {
    return failure;
  }
}
