package io.recur.device.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.recur.Thrown;
import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.device.kernels.KernelDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class SlabTest {
  /** Slices of awkward sizes, more than a first region of 2¹² floats in all. */
  private static final int[] PIECES = {1, 3, 16, 17, 200_000, 63, 100_000, 65, 300_000, 1};

  private final Device device;

  SlabTest(Device device) {
    this.device = device;
  }

  private static List<Buffer> take(Slab slab) {
    List<Buffer> pieces = new ArrayList<>();
    for (int length : PIECES) {
      pieces.add(slab.take(length));
    }
    return pieces;
  }

  private static List<Long> addresses(List<Buffer> pieces) {
    return pieces.stream().map(piece -> piece.segment().address()).toList();
  }

  @Test
  void everyPieceIsAlignedAndAsLongAsAskedFor() {
    try (Slab slab = KernelDevice.of(device).slab()) {
      List<Buffer> pieces = take(slab);
      for (int i = 0; i < PIECES.length; i++) {
        assertEquals(0, pieces.get(i).segment().address() % 64, "piece " + i);
        assertEquals(PIECES[i], pieces.get(i).floats());
      }
    }
  }

  @Test
  void piecesDoNotOverlap() {
    try (Slab slab = KernelDevice.of(device).slab()) {
      List<Buffer> pieces = take(slab);
      for (int i = 0; i < PIECES.length; i++) {
        device.pointwise().fill(i + 1, pieces.get(i), PIECES[i]);
      }
      for (int i = 0; i < PIECES.length; i++) {
        double sum = device.pointwise().sum(pieces.get(i), PIECES[i]);
        assertEquals((i + 1.0) * PIECES[i], sum, "piece " + i);
      }
    }
  }

  @Test
  void rewindGivesTheSameAddressesAgain() {
    try (Slab slab = KernelDevice.of(device).slab()) {
      take(slab);
      slab.rewind(); // all in one region from here on
      List<Long> first = addresses(take(slab));
      long bytes = slab.bytes();
      for (int round = 0; round < 5; round++) {
        slab.rewind();
        assertEquals(first, addresses(take(slab)));
        assertEquals(bytes, slab.bytes());
      }
    }
  }

  @Test
  void rewindGivesTheSameObjectsAgainWhereTheLengthsAreTheSame() {
    try (Slab slab = KernelDevice.of(device).slab()) {
      take(slab);
      slab.rewind(); // all in one region from here on
      List<Buffer> first = take(slab);
      slab.rewind();
      List<Buffer> second = take(slab);
      for (int i = 0; i < PIECES.length; i++) {
        assertSame(first.get(i), second.get(i), "piece " + i);
      }
      slab.rewind();
      assertSame(first.get(0), slab.take(PIECES[0]));
      Buffer shorter = slab.take(2); // 3 before: another piece at the same address
      assertEquals(2, shorter.floats());
      assertEquals(first.get(1).segment().address(), shorter.segment().address());
      slab.rewind();
      Buffer longer = slab.take(40); // the next one moves
      longer.write(new float[40]);
      slab.take(3).write(1, 2, 3);
      assertArrayEquals(new float[40], longer.read());
    }
  }

  @Test
  void aSlabBeginsWith16KilobytesAndDoubles() {
    try (Slab slab = KernelDevice.of(device).slab()) {
      assertEquals(0, slab.bytes());
      slab.take(1);
      assertEquals(16 << 10, slab.bytes());
      slab.take(4096);
      assertEquals(32 << 10, slab.bytes());
      slab.take(4096);
      assertEquals(64 << 10, slab.bytes());
    }
  }

  @Test
  void rewindMakesOneBlockOfSeveralAndRefusesTheOldPieces() {
    try (Slab slab = KernelDevice.of(device).slab()) {
      List<Buffer> old = take(slab);
      long bytes = slab.bytes();
      slab.rewind();
      assertTrue(slab.bytes() <= bytes, slab.bytes() + " bytes");
      bytes = slab.bytes();
      for (Buffer piece : old) {
        Thrown.says(IllegalStateException.class, piece::read, "given back");
      }
      List<Long> addresses = addresses(take(slab));
      for (int i = 1; i < PIECES.length; i++) {
        assertEquals(
            Slab.padded(PIECES[i - 1]) * Float.BYTES, addresses.get(i) - addresses.get(i - 1));
      }
      assertEquals(bytes, slab.bytes());
    }
  }

  /** The cases CloseLeak and LeakClose. A GPU's memory is let go behind the work that uses it. */
  @Test
  @Tag(Devices.CPU)
  void aCloseThatACallOfAnotherThreadRefusedGivesAllBackLater() throws InterruptedException {
    assumeTrue(Devices.isNative(device), "the Java kernels hold no memory");
    int n = 1 << 22;
    boolean refused = false;
    for (int round = 0; round < 500 && !refused; round++) {
      Slab slab = KernelDevice.of(device).slab();
      Buffer x = slab.take(n);
      AtomicBoolean running = new AtomicBoolean(true);
      CountDownLatch begun = new CountDownLatch(1);
      Thread caller =
          new Thread(
              () -> {
                while (running.get()) {
                  device.pointwise().map(Elementwise.TANH, x, x, n);
                  begun.countDown();
                }
              });
      caller.setUncaughtExceptionHandler((thread, e) -> {}); // its memory may go between two calls
      caller.start();
      begun.await();
      try {
        slab.close();
      } catch (IllegalStateException e) {
        refused = true;
        assertTrue(
            e.getMessage().startsWith("close: another thread computes with this memory"),
            e.getMessage());
        x.segment(); // nothing was given back
      }
      running.set(false);
      caller.join();
      slab.close();
      Thrown.says(IllegalStateException.class, x::read, "given back");
    }
    assertTrue(refused, "no close met a call");
  }

  @Test
  void aRoundThatComesAgainTakesAnEighthMoreThanItNeedsAtMost() {
    try (Slab slab = KernelDevice.of(device).slab()) {
      for (int round = 0; round < 4; round++) {
        slab.take(1 << 18);
        slab.take(1 << 19);
        slab.take(16);
        slab.rewind();
      }
      long needed = ((1 << 18) + (1 << 19) + 16) * 4L;
      assertTrue(slab.bytes() >= needed, slab.bytes() + " bytes");
      assertTrue(slab.bytes() <= needed + needed / 8 + 64, slab.bytes() + " bytes");
    }
  }

  @Test
  void growthKeepsWhatWasTaken() {
    try (Slab slab = KernelDevice.of(device).slab()) {
      assertEquals(0, slab.bytes());
      Buffer early = slab.take(3);
      early.write(1, 2, 3);
      long before = slab.bytes();
      slab.take(1 << 20);
      assertTrue(slab.bytes() >= before + (4 << 20), slab.bytes() + " bytes");
      assertArrayEquals(new float[] {1, 2, 3}, early.read());
    }
  }

  @Test
  void manySmallPiecesTakeFewRegions() {
    try (Slab slab = KernelDevice.of(device).slab()) {
      for (int i = 0; i < 100_000; i++) {
        slab.take(1);
      }
      assertTrue(slab.bytes() <= 4 * 100_000L * 64, slab.bytes() + " bytes"); // at most doubled
    }
  }

  @Test
  void paddedRoundsUpToTheAlignment() {
    assertEquals(16, Slab.padded(1));
    assertEquals(16, Slab.padded(16));
    assertEquals(32, Slab.padded(17));
  }

  @Test
  void useAfterCloseThrows() {
    Slab slab = KernelDevice.of(device).slab();
    Buffer piece = slab.take(16);
    Buffer part = piece.slice(4, 4);
    slab.close();
    assertThrows(IllegalStateException.class, piece::read);
    assertThrows(IllegalStateException.class, part::read);
    assertThrows(IllegalStateException.class, () -> piece.write(new float[16]));
    assertThrows(IllegalStateException.class, () -> slab.take(1 << 20));
  }

  @Test
  void kernelsOnAClosedSlabThrow() {
    Slab slab = KernelDevice.of(device).slab();
    Buffer x = slab.take(64);
    Buffer y = device.allocate(64);
    slab.close();
    assertThrows(
        IllegalStateException.class, () -> device.pointwise().map(Elementwise.TANH, x, y, 64));
    assertThrows(
        IllegalStateException.class,
        () ->
            KernelDevice.of(device).blas().multiply(false, false, 8, 8, 8, 1, x, 8, y, 8, 0, y, 8));
    assertThrows(
        IllegalStateException.class,
        () ->
            KernelDevice.of(device).blas().multiply(false, false, 8, 1, 8, 1, y, 8, x, 8, 0, y, 8));
    assertThrows(IllegalStateException.class, () -> device.pointwise().fill(0, x, 64));
  }

  @Test
  void aSecondCloseDoesNothing() {
    Slab slab = KernelDevice.of(device).slab();
    slab.take(1);
    slab.close();
    slab.close();
  }

  @Test
  void closingOneSlabLeavesTheOthers() {
    Slab first = KernelDevice.of(device).slab();
    try (Slab second = KernelDevice.of(device).slab()) {
      Buffer piece = second.take(1);
      first.take(1);
      first.close();
      piece.write(4);
      assertArrayEquals(new float[] {4}, piece.read());
      assertFalse(piece.segment().address() == 0);
    }
  }
}
