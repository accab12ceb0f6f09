package io.recur.cli;

import java.io.PrintWriter;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * Shows the progress of a training on standard error: on a terminal a bar of its width, which is
 * read again every few seconds, elsewhere a line every ten seconds.
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

  /** Prints a line per update. */
  private final class Lines implements ProgressBarConsumer {
    private String last = "";

    @Override
    public int getMaxRenderedLength() {
      return LINE_WIDTH;
    }

    @Override
    public void accept(String line) {
      if (!line.equals(last)) { // the library sends the last line twice
        err.println(line.stripTrailing());
        err.flush();
      }
      last = line;
    }

    @Override
    public void close() {}
  }

  /** Overwrites one line. */
  private final class Bar implements ProgressBarConsumer {
    private int width;
    private long asked = System.nanoTime();

    Bar(int width) {
      this.width = width;
    }

    /** {@return one column less than the terminal, since the cursor wraps after the last one} */
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
