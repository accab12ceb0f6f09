package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.recur.Thrown;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.memory.Slab;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Words that move from a place in one buffer to a place in another. */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class MoveTest {
  private static final int GUARD = 5;

  private final Device device;

  MoveTest(Device device) {
    this.device = device;
  }

  /** The numbers from one on, in a buffer of this device. */
  private Buffer counted(int first, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = first + i;
    }
    Buffer buffer = device.allocate(count);
    buffer.write(values);
    return buffer;
  }

  @Test
  void wordsMoveToTheirPlaceAndNoOtherIsWritten() {
    for (int words : Devices.SIZES) {
      for (int first : new int[] {0, 1, 16}) {
        Buffer from = counted(1, first + words + GUARD);
        Buffer to = counted(-5000, GUARD + words + GUARD);
        KernelDevice.of(device).move(from, first, to, GUARD, words);
        float[] expected = counted(-5000, GUARD + words + GUARD).read();
        for (int i = 0; i < words; i++) {
          expected[GUARD + i] = 1 + first + i;
        }
        assertArrayEquals(expected, to.read(), words + " words from word " + first + " on");
      }
    }
  }

  @Test
  void memoryThatWasGivenBackIsRefusedInOurWords() {
    KernelDevice kernels = KernelDevice.of(device);
    Buffer open = counted(1, 16);
    Slab slab = kernels.slab();
    Buffer closed = slab.take(16);
    slab.close();
    String words = "buffer: 16 floats that were given back; use them before their tape is";
    Thrown.says(IllegalStateException.class, () -> kernels.move(closed, 0, open, 0, 16), words);
    Thrown.says(IllegalStateException.class, () -> kernels.move(open, 0, closed, 0, 16), words);
  }
}
