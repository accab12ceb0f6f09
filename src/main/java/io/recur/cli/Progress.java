package io.recur.cli;

import java.io.PrintWriter;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * How far a training is, on standard error: a bar as wide as the terminal, which is asked again
 * every few seconds, or where there is no terminal a line every ten seconds.
 */
final class Progress implements AutoCloseable {
  private static final int BAR_MILLIS = 500;
  private static final int LINE_MILLIS = 10_000;
  private static final long WIDTH_NANOS = 3_000_000_000L;
  private static final int LINE_WIDTH = 100;

  private final PrintWriter err;
  private final ProgressBar bar;

  Progress(PrintWriter err, String unit, long total) {
    this.err = err;
    int width = Terminal.width();
    this.bar =
        new ProgressBarBuilder()
            .setTaskName("train")
            .setUnit(" " + unit, 1)
            .setInitialMax(total)
            .setStyle(ProgressBarStyle.ASCII)
            .setConsumer(width == 0 ? new Lines() : new Bar(width))
            .setUpdateIntervalMillis(width == 0 ? LINE_MILLIS : BAR_MILLIS)
            .build();
  }

  void show(long done, String message) {
    bar.stepTo(done);
    bar.setExtraMessage(" " + message);
  }

  @Override
  public void close() {
    bar.close();
  }

  /** Lines one below the other. */
  private final class Lines implements ProgressBarConsumer {
    private String last = "";

    @Override
    public int getMaxRenderedLength() {
      return LINE_WIDTH;
    }

    @Override
    public void accept(String line) {
      if (!line.equals(last)) { // the end comes twice
        err.println(line.stripTrailing());
        err.flush();
      }
      last = line;
    }

    @Override
    public void close() {}
  }

  /** One line that is overwritten. */
  private final class Bar implements ProgressBarConsumer {
    private int width;
    private long asked = System.nanoTime();

    Bar(int width) {
      this.width = width;
    }

    /** One column less, or the cursor would wrap. */
    @Override
    public int getMaxRenderedLength() {
      if (System.nanoTime() - asked > WIDTH_NANOS) {
        int now = Terminal.width();
        width = now == 0 ? width : now;
        asked = System.nanoTime();
      }
      return width - 1;
    }

    @Override
    public void accept(String line) {
      err.print("\r" + line + " ".repeat(Math.max(0, width - 1 - line.length())));
      err.flush();
    }

    @Override
    public void close() {
      err.println();
      err.flush();
    }
  }
}
