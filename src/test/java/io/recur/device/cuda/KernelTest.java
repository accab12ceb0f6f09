package io.recur.device.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Guarded;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** What the GPU's kernels alone do: they check indexes, and add up in a fixed order. */
class KernelTest {
  @AutoClose private final Device device = CpuDouble.hereOnCuda();
  private final Guarded memory = new Guarded(device, 8);

  private Guarded.Piece indexes(int... indexes) {
    float[] bits = new float[indexes.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.intBitsToFloat(indexes[i]);
    }
    return memory.input(bits);
  }

  /** The first read is refused, naming any of the bad indexes. */
  private static void refuses(Guarded.Piece piece, String where, int columns) {
    var refusal = assertThrows(IndexOutOfBoundsException.class, piece::read);
    String pattern =
        "%s: index\\[\\d]=(-1|%d); need 0 ≤ index < %2$d, found by cuda.*"
            .formatted(where, columns);
    assertTrue(refusal.getMessage().matches(pattern), refusal.getMessage());
  }

  @Test
  void anIndexBeyondTheMatrixGivesNotANumbers() {
    Guarded.Piece w = memory.input(1, 2, 3, 4, 5, 6);
    Guarded.Piece index = indexes(2, 3, -1, 0);
    Guarded.Piece y = memory.output(8);
    device.columns().gather(2, 4, w.buffer(), index.buffer(), null, y.buffer());
    refuses(y, "gather", 3);
    float nan = Float.NaN;
    assertArrayEquals(new float[] {5, 6, nan, nan, nan, nan, 1, 2}, y.read());
    memory.check();
  }

  @Test
  void anIndexBeyondTheMatrixIsPassedOverWhereItWouldBeAddedTo() {
    for (int columns : new int[] {2, 100}) {
      Guarded.Piece y = memory.input(1, 1e35f, 1e35f, 4); // 2 more would not show in a guard word
      Guarded.Piece index = indexes(1, columns, -1, 1);
      Guarded.Piece w = memory.inOut(new float[columns]);
      device.columns().scatterAdd(1, 4, y.buffer(), index.buffer(), w.buffer());
      refuses(w, "scatterAdd", columns);
      float[] expected = new float[columns];
      expected[1] = 5;
      assertArrayEquals(expected, w.read());
      memory.check();
    }
  }

  @Test
  void aTargetBeyondTheClassesGivesALossThatIsNotANumber() {
    Guarded.Piece x = memory.input(6);
    Guarded.Piece index = indexes(1, 3);
    Guarded.Piece p = memory.output(6);
    Guarded.Piece loss = memory.output(1);
    device.columns().crossEntropy(3, 2, x.buffer(), index.buffer(), p.buffer(), loss.buffer());
    refuses(loss, "crossEntropy", 3);
    assertTrue(Float.isNaN(loss.read()[0]));
    memory.check();
  }

  @Test
  void sumsHaveTheSameBitsEveryTime() {
    int n = 100_003;
    Guarded.Piece x = memory.input(n);
    double first = device.pointwise().sum(x.buffer(), n);
    double squares = device.pointwise().sumOfSquares(x.buffer(), n);
    Guarded.Piece once = memory.inOut(7f, 7f, 7f);
    Guarded.Piece again = memory.inOut(7f, 7f, 7f);
    device.columns().addSum(3, n / 3, x.buffer(), once.buffer());
    for (int i = 0; i < 3; i++) {
      assertEquals(first, device.pointwise().sum(x.buffer(), n));
      assertEquals(squares, device.pointwise().sumOfSquares(x.buffer(), n));
    }
    device.columns().addSum(3, n / 3, x.buffer(), again.buffer());
    assertArrayEquals(once.read(), again.read());
  }
}
