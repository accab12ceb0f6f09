package io.recur.serve;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.nn.Chain;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What a request costs on the heap of caller and stepping thread, and that nothing native grows.
 */
@Tag(Devices.CPU)
class SteadyStateTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int SESSIONS = 500;
  private static final int OUTSTANDING = 100;
  private static final int ROUNDS = 300;

  /** A call, its id, and two arrays; and what a batch of another size than the last one needs. */
  private static final int MOST_BYTES = 1500;

  private static long steppingThread() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("recur-sessions"))
        .mapToLong(Thread::threadId)
        .max()
        .orElseThrow();
  }

  private static void round(Sessions sessions, Random random) {
    List<CompletableFuture<float[]>> answers = new ArrayList<>(OUTSTANDING);
    for (int i = 0; i < OUTSTANDING; i++) {
      answers.add(sessions.stepAsync(random.nextInt(SESSIONS), Request.of(1, 2, 3)));
    }
    answers.forEach(CompletableFuture::join);
  }

  @Test
  void aRequestAllocatesFewObjectsAndNothingNative() {
    try (Device device = Devices.opened()) {
      Chain model = chain(lstm(3, 16), dense(16, 4)).on(device, 1);
      try (Sessions sessions = Sessions.open(model, device)) {
        for (int id = 0; id < SESSIONS; id++) {
          sessions.open(id);
        }
        Random random = new Random(1);
        for (int i = 0; i < ROUNDS; i++) {
          round(sessions, random);
        }
        long natives = sessions.counts().bytes();
        long stepping = steppingThread();
        long before =
            THREADS.getCurrentThreadAllocatedBytes() + THREADS.getThreadAllocatedBytes(stepping);
        for (int i = 0; i < ROUNDS; i++) {
          round(sessions, random);
        }
        long bytes =
            THREADS.getCurrentThreadAllocatedBytes()
                + THREADS.getThreadAllocatedBytes(stepping)
                - before;
        long each = bytes / (ROUNDS * OUTSTANDING);
        assertTrue(each < MOST_BYTES, each + " bytes per request");
        assertEquals(natives, sessions.counts().bytes());
      }
    }
  }
}
