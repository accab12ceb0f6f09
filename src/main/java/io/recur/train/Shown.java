package io.recur.train;

import io.recur.io.optional.OptionalLibrary;
import io.recur.train.show.Bar;
import io.recur.train.show.LossCurve;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What shows a training while it runs: a bar within each pass, and a picture of the losses. */
final class Shown {
  private @Nullable PrintWriter err;
  private @Nullable LossCurve curve;
  private @Nullable Path picture;

  void bars(PrintStream out) {
    OptionalLibrary.PROGRESS_BAR.require("progressBar");
    err = new PrintWriter(out, true);
  }

  void curve(Path picture) {
    OptionalLibrary.CHART.require("curve");
    this.picture = picture.toAbsolutePath();
    this.curve = new LossCurve();
  }

  /** {@return a bar for a pass, to be closed at its end; null where none is wanted} */
  @Nullable Bar bar(int pass, int steps) {
    PrintWriter its = err;
    return its == null ? null : new Bar(its, "pass " + pass, "steps", steps);
  }

  /** Shows a step of the pass: the done'th. */
  void step(@Nullable Bar bar, Trainer.Event event, int done) {
    if (bar != null) {
      bar.show(done, String.format(Locale.ROOT, "loss %.4g", event.loss()));
    }
    LossCurve its = curve;
    if (its != null) {
      its.step(event.step(), event.loss());
    }
  }

  /** Draws the picture anew. */
  void pass(Fit.Pass pass) {
    LossCurve its = curve;
    Path file = picture;
    if (its == null || file == null) {
      return;
    }
    its.validated(pass.step(), pass.validation());
    try {
      its.draw(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
