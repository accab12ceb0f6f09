package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag(Devices.CPU)
class OneThreadTest {
  private final OneThread mark = new OneThread("thing", "give each thread a thing of its own");

  /** Enters and leaves on another thread; gives what it was refused with. */
  private String refusalOf(Thread.Builder builder) throws InterruptedException {
    String[] message = {"none"};
    Thread thread =
        builder.unstarted(
            () -> {
              try (var _ = mark.enter()) {
                message[0] = "none";
              } catch (IllegalStateException e) {
                message[0] = e.getMessage();
              }
            });
    thread.start();
    thread.join();
    return message[0];
  }

  @Test
  void theSecondThreadIsRefusedWithBothNamesAndTheRemedy() throws InterruptedException {
    try (var _ = mark.enter()) {
      String refusal = refusalOf(Thread.ofPlatform().name("second"));
      assertTrue(refusal.startsWith("thing: thread second#"), refusal);
      assertTrue(refusal.contains(Thread.currentThread().getName()), refusal);
      assertTrue(refusal.endsWith("give each thread a thing of its own"), refusal);
    }
    assertEquals("none", refusalOf(Thread.ofPlatform()));
  }

  @Test
  void aVirtualThreadCountsAsAThread() throws InterruptedException {
    try (var _ = mark.enter()) {
      assertTrue(refusalOf(Thread.ofVirtual()).startsWith("thing: thread #"));
    }
    assertEquals("none", refusalOf(Thread.ofVirtual()));
  }

  @Test
  void theThreadInsideMayEnterAgain() throws InterruptedException {
    try (var _ = mark.enter()) {
      try (var again = mark.enter()) {
        assertSame(mark, again);
      }
      assertTrue(refusalOf(Thread.ofPlatform()).startsWith("thing"), "it has left once of twice");
    }
    assertEquals("none", refusalOf(Thread.ofPlatform()));
  }

  @Test
  void enteringOnceCountsOnlyTheOutermostTime() throws InterruptedException {
    try (var outer = mark.enterOnce()) {
      assertSame(mark, outer);
      try (var inner = mark.enterOnce()) {
        assertNull(inner);
      }
      try (var _ = mark.enter()) {
        assertNull(mark.enterOnce());
      }
      assertTrue(refusalOf(Thread.ofPlatform()).startsWith("thing"), "the outermost is inside");
    }
    assertEquals("none", refusalOf(Thread.ofPlatform()));
  }

  @Test
  void anExceptionLeaves() throws InterruptedException {
    assertThrows(
        ArithmeticException.class,
        () -> {
          try (var _ = mark.enter()) {
            throw new ArithmeticException();
          }
        });
    assertEquals("none", refusalOf(Thread.ofPlatform()));
  }

  @Test
  void severalThreadsReadAtOnceAndNobodyIsInsideMeanwhile() throws InterruptedException {
    mark.read();
    Thread reader =
        Thread.ofPlatform()
            .start(
                () -> {
                  mark.read();
                  mark.endRead();
                });
    reader.join();
    assertTrue(refusalOf(Thread.ofPlatform()).startsWith("thing"), "one still reads");
    mark.endRead();
    assertEquals("none", refusalOf(Thread.ofPlatform()));
    assertThrows(IllegalStateException.class, mark::endRead);
    assertEquals("none", refusalOf(Thread.ofPlatform()), "nothing is counted twice");
  }

  @Test
  void whoIsInsideMayReadAndNobodyElse() throws InterruptedException {
    try (var _ = mark.enter()) {
      mark.read();
      mark.endRead();
      Thread reader =
          Thread.ofPlatform().start(() -> assertThrows(IllegalStateException.class, mark::read));
      reader.join();
    }
    assertEquals("none", refusalOf(Thread.ofPlatform()));
  }

  @Test
  void leavingOnceTooOftenThrows() {
    mark.enter().close();
    assertThrows(IllegalStateException.class, mark::close);
  }

  @Test
  void whoIsNotInsideCannotLetOthersIn() throws Exception {
    try (var _ = mark.enter();
        ExecutorService other = Executors.newSingleThreadExecutor()) {
      Future<?> leaving = other.submit(mark::close);
      ExecutionException thrown = assertThrows(ExecutionException.class, leaving::get);
      assertEquals(IllegalStateException.class, thrown.getCause().getClass());
      assertTrue(refusalOf(Thread.ofPlatform()).startsWith("thing"));
    }
  }

  /**
   * Plain fields behind the mark: a lost count would show a gap in the memory order or the mark.
   */
  @Test
  void threadsInTurnSeeEachOthersWrites() throws Exception {
    int threads = 4;
    int rounds = 20_000;
    long[] count = {0};
    List<Future<?>> all = new ArrayList<>();
    try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
      for (int i = 0; i < threads; i++) {
        all.add(
            pool.submit(
                () -> {
                  int done = 0;
                  while (done < rounds) {
                    try (var _ = mark.enter()) {
                      count[0]++;
                      done++;
                    } catch (IllegalStateException e) {
                      Thread.onSpinWait();
                    }
                  }
                }));
      }
      for (Future<?> one : all) {
        one.get();
      }
    }
    assertEquals((long) threads * rounds, count[0]);
  }
}
