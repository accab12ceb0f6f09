package io.recur.serve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Thrown;
import io.recur.device.Devices;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag(Devices.CPU)
class HistogramTest {
  @Test
  void aValueCountsBelowTheFirstBoundThatItDoesNotExceed() {
    Histogram histogram = Histogram.of(1, 10, 100);
    for (long value : new long[] {-5, 0, 1, 2, 10, 11, 100, 101, Long.MAX_VALUE / 2}) {
      histogram.add(value);
    }
    assertArrayEquals(new long[] {3, 2, 2, 2}, histogram.counts());
    assertEquals(-5 + 1 + 2 + 10 + 11 + 100 + 101 + Long.MAX_VALUE / 2, histogram.sum());
  }

  @Test
  void boundsThatDoNotGrowAreRefused() {
    Thrown.says(IllegalArgumentException.class, () -> Histogram.of(1, 1), "bounds=[1, 1]");
  }

  @Test
  void everyValueOfManyThreadsIsCounted() throws InterruptedException {
    Histogram histogram = Histogram.of(500);
    Thread[] threads = new Thread[4];
    for (int i = 0; i < threads.length; i++) {
      threads[i] =
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int value = 1; value <= 1000; value++) {
                      histogram.add(value);
                    }
                  });
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertArrayEquals(new long[] {2000, 2000}, histogram.counts());
    assertEquals(4 * 500_500, histogram.sum());
  }

  /** Requests are counted in the batch in which they were stepped, and with their wait. */
  @Test
  void sessionsCountTheirBatchesAndWaits() {
    try (Opened sessions = new Opened()) {
      Distributions distributions = Distributions.of(sessions.opened);
      sessions.opened.open(1, 2, 3);
      sessions.opened.step(1, 1, 2, 3);
      sessions.opened.stepAsync(2, Request.of(1, 2, 3)).join();
      long batches = sessions.opened.counts().batches();
      assertEquals(batches, Arrays.stream(distributions.batches().counts()).sum());
      assertEquals(2, distributions.batches().sum());
      assertEquals(2, Arrays.stream(distributions.waits().counts()).sum());
    }
  }

  /** A small model's sessions, closed with its device. */
  private static final class Opened extends GatedSessions implements AutoCloseable {
    final Sessions opened = opened();

    @Override
    public void close() {
      opened.close();
      device.close();
    }
  }
}
