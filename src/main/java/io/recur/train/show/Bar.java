package io.recur.train.show;

import java.io.PrintWriter;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * Shows the progress of a training on standard error: on a terminal a bar of its width, which is
 * read again every few seconds, elsewhere a line every ten seconds. It needs {@link
 * io.recur.io.optional.OptionalLibrary#PROGRESS_BAR}.
 */
public final class Bar implements AutoCloseable {
  private static final int BAR_MILLIS = 500;
  private static final int LINE_MILLIS = 10_000;
  private static final long WIDTH_NANOS = 3_000_000_000L;
  private static final int LINE_WIDTH = 100;

  private final PrintWriter err;
  private final ProgressBar bar;
  final ProgressBarConsumer shown;

  /**
   * Shows a bar with nothing done.
   *
   * @param err standard error
   * @param task the first word of the bar
   * @param unit of what is done
   * @param total what is done at the end
   */
  public Bar(PrintWriter err, String task, String unit, long total) {
    this(err, task, unit, total, Terminal.width());
  }

  /** A bar of some columns, or lines where there are 0. */
  Bar(PrintWriter err, String task, String unit, long total, int width) {
    this.err = err;
    this.shown = width == 0 ? new Lines() : new Overwritten(width);
    this.bar =
        new ProgressBarBuilder()
            .setTaskName(task)
            .setUnit(" " + unit, 1)
            .setInitialMax(total)
            .setStyle(ProgressBarStyle.ASCII)
            .setConsumer(shown)
            .setUpdateIntervalMillis(width == 0 ? LINE_MILLIS : BAR_MILLIS)
            .build();
  }

  /**
   * Shows what is done.
   *
   * @param done of the total
   * @param message behind the bar
   */
  public void show(long done, String message) {
    bar.stepTo(done);
    bar.setExtraMessage(" " + message);
  }

  /** Shows the bar once more and ends its line. */
  @Override
  public void close() {
    bar.close();
    shown.close(); // the library leaves it open where it has shown nothing yet
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
  private final class Overwritten implements ProgressBarConsumer {
    private int width;
    private boolean isOpen = true;
    private long asked = System.nanoTime();

    Overwritten(int width) {
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

    /** The library may send the last line once more after it has closed this. */
    @Override
    public void accept(String line) {
      if (!isOpen) {
        return;
      }
      err.print("\r" + line + " ".repeat(Math.max(0, width - 1 - line.length())));
      err.flush();
    }

    @Override
    public void close() {
      if (isOpen) {
        err.println();
        err.flush();
      }
      isOpen = false;
    }
  }
}
