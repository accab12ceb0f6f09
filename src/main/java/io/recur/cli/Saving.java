package io.recur.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Saves a training again and again: a save that fails is told, and the next one is tried. */
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
   * Saves it, with the held-out figure where it is known.
   *
   * @throws IllegalArgumentException if the weights are not finite: the file keeps the last good
   *     ones
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

  /** Why the last save failed, with the file, or null. */
  @Nullable String failure() {
    return failure;
  }
}
