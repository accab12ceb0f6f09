package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** The kernels that users call refuse what does not fit, alike on every device. */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class CheckedKernelsTest {
  private final Device device;

  CheckedKernelsTest(Device device) {
    this.device = device;
  }

  private static void refused(Class<? extends Exception> kind, String start, Executable call) {
    var thrown = assertThrows(kind, call);
    assertTrue(thrown.getMessage().startsWith(start), thrown.getMessage());
  }

  @Test
  void moreValuesThanABufferHasAreRefused() {
    Pointwise pointwise = device.pointwise();
    Buffer four = device.allocate(4);
    Buffer two = device.allocate(2);
    for (long n : new long[] {3, -1, (1L << 31) + 1, Long.MAX_VALUE, Long.MIN_VALUE}) {
      Class<IndexOutOfBoundsException> kind = IndexOutOfBoundsException.class;
      refused(kind, "fill: " + n + " values, buffer of 2", () -> pointwise.fill(1, two, n));
      refused(kind, "copy: " + n, () -> pointwise.copy(two, four, n));
      refused(kind, "map: " + n, () -> pointwise.map(Elementwise.TANH, two, two, n));
      refused(kind, "drop: " + n, () -> pointwise.drop(0.5f, 1, false, two, two, n));
      refused(kind, "sum: " + n, () -> pointwise.sum(two, n));
    }
    assertArrayEquals(new float[4], four.read());
  }

  @Test
  void aMatrixThatDoesNotFitIsRefused() {
    Columns columns = device.columns();
    Buffer six = device.allocate(6);
    Buffer one = device.allocate(1);
    int[][] sizes = {{0, 1}, {-1, -1}, {-2, 3}, {2, -3}, {1 << 16, 1 << 16}};
    for (int[] size : sizes) {
      Class<? extends Exception> kind =
          size[0] > 1 && size[1] > 1
              ? IndexOutOfBoundsException.class
              : IllegalArgumentException.class;
      refused(kind, "addSum: ", () -> columns.addSum(size[0], size[1], six, six));
      refused(kind, "softmax: ", () -> columns.softmax(size[0], size[1], false, six, six));
      refused(kind, "gather: ", () -> columns.gather(size[0], size[1], six, six, null, six));
    }
    // two columns at a distance of −1 would begin before the buffer
    refused(
        IllegalArgumentException.class,
        "block: m=5, n=2, ld=-1; need",
        () -> columns.block(5, 2, six, -1, false, six, 5));
    refused(
        IndexOutOfBoundsException.class,
        "crossEntropy: 6 values, buffer of 1",
        () -> columns.crossEntropy(2, 3, one, six, six, one));
  }

  @Test
  void aBufferOfAnotherDeviceIsRefused() {
    try (Device other = Devices.opened()) {
      Buffer mine = device.allocate(4);
      Buffer its = other.allocate(4);
      refused(
          IllegalArgumentException.class,
          "copy: the buffer is on ",
          () -> device.pointwise().copy(its, mine, 4));
      refused(
          IllegalArgumentException.class,
          "repeat: the buffer is on ",
          () -> device.columns().repeat(2, 2, mine, its));
    }
  }

  @Test
  void aClosedDeviceRunsNothing() {
    Device other = Devices.opened();
    Buffer buffer = other.allocate(4);
    Pointwise pointwise = other.pointwise();
    other.close();
    refused(IllegalStateException.class, "device: ", () -> pointwise.fill(1, buffer, 4));
  }
}
