package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** All devices refuse an index that names no column, with the same words. */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class IndexesTest {
  private static final int M = 3;
  private static final int[] BAD = {-1, Integer.MIN_VALUE, Integer.MAX_VALUE};

  private final Device device;
  private final Columns columns;

  IndexesTest(Device device) {
    this.device = device;
    this.columns = device.columns();
  }

  private interface Kernel {
    /** Runs it on n indexes and gives what it writes to. */
    Buffer run(int n, Buffer index);
  }

  private Buffer values(int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = i % 7 / 8f;
    }
    Buffer buffer = device.allocate(n);
    buffer.write(values);
    return buffer;
  }

  private static int[] indexes(int n, int bound) {
    int[] index = new int[n];
    Arrays.setAll(index, j -> j * 5 % bound);
    return index;
  }

  /** For few indexes and many, with one bad one at each of some places. */
  private void refuses(String where, int bound, Kernel kernel) {
    for (int n : new int[] {1, 7, 700}) {
      for (int bad : BAD) {
        refuses(where, bound, kernel, n, n / 2, bad);
      }
      refuses(where, bound, kernel, n, n - 1, bound);
      refuses(where, bound, kernel, n, 0, bound);
    }
  }

  private void refuses(String where, int bound, Kernel kernel, int n, int place, int bad) {
    Buffer index = device.allocate(n);
    int[] good = indexes(n, bound);
    index.writeIndexes(good);
    float[] right = kernel.run(n, index).read();
    int[] wrong = good.clone();
    wrong[place] = bad;
    index.writeIndexes(wrong);
    var refusal =
        assertThrows(IndexOutOfBoundsException.class, () -> kernel.run(n, index).read(), where);
    String expected = "%s: index[%d]=%d; need 0 ≤ index < %d".formatted(where, place, bad, bound);
    assertTrue(refusal.getMessage().startsWith(expected), refusal.getMessage());
    index.writeIndexes(good);
    assertArrayEquals(right, kernel.run(n, index).read(), where + " after the refusal");
  }

  @Test
  void gatherRefuses() {
    for (int bound : new int[] {2, 1000}) {
      Buffer w = values(M * bound);
      Buffer y = device.allocate(M * 700);
      refuses(
          "gather",
          bound,
          (n, index) -> {
            columns.gather(M, n, w, index, null, y);
            return y.slice(0, M * n);
          });
    }
  }

  @Test
  void scatterAddRefuses() {
    for (int bound : new int[] {2, 1000}) {
      Buffer w = device.allocate(M * bound);
      Buffer y = values(M * 700);
      refuses(
          "scatterAdd",
          bound,
          (n, index) -> {
            device.pointwise().fill(0, w, M * bound);
            columns.scatterAdd(M, n, y, index, w);
            return w;
          });
    }
  }

  @Test
  void crossEntropyRefuses() {
    for (int classes : new int[] {M, 1500}) {
      Buffer x = values(classes * 700);
      Buffer p = device.allocate(classes * 700);
      Buffer loss = device.allocate(1);
      refuses(
          "crossEntropy",
          classes,
          (n, index) -> {
            columns.crossEntropy(classes, n, x, index, p, loss);
            return loss;
          });
    }
  }

  @Test
  void crossEntropyDerivativeRefuses() {
    Buffer p = values(M * 700);
    Buffer dloss = values(1);
    Buffer dx = device.allocate(M * 700);
    refuses(
        "addCrossEntropyDerivative",
        M,
        (n, index) -> {
          device.pointwise().fill(0, dx, M * n);
          columns.addCrossEntropyDerivative(M, n, p, index, dloss, dx);
          return dx.slice(0, M * n);
        });
  }

  @Test
  void theFirstOperationIsNamedOnceAndChangesNothing() {
    Buffer index = device.allocate(2);
    Buffer w = values(M * 2);
    Buffer y = values(M * 2);
    float[] before = y.read();
    index.writeIndexes(0, 2);
    var refusal =
        assertThrows(
            IndexOutOfBoundsException.class,
            () -> {
              columns.gather(M, 2, w, index, null, y);
              columns.scatterAdd(M, 2, y, index, w);
              y.read();
            });
    assertTrue(refusal.getMessage().startsWith("gather: index[1]=2;"), refusal.getMessage());
    float[] after = y.read(); // a GPU tells once
    if (Devices.isCpu()) {
      assertArrayEquals(before, after);
    }
    assertEquals(0f, w.read()[0]);
  }
}
