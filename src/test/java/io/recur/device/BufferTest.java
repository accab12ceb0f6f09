package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class BufferTest {
  private final Device device;

  BufferTest(Device device) {
    this.device = device;
  }

  @Test
  void aFreshBufferIsZero() {
    assertArrayEquals(new float[257], device.allocate(257).read());
  }

  @Test
  void whatIsWrittenIsRead() {
    Buffer buffer = device.allocate(3);
    buffer.write(1, -0f, Float.NaN);
    assertArrayEquals(new float[] {1, -0f, Float.NaN}, buffer.read());
    assertEquals(3, buffer.floats());
    assertSame(device, buffer.device());
  }

  @Test
  void aPartIsWrittenThroughItsSlice() {
    Buffer buffer = device.allocate(3);
    buffer.write(1, 2, 3);
    buffer.slice(0, 1).write(9);
    assertArrayEquals(new float[] {9, 2, 3}, buffer.read());
    float[] first = new float[2];
    buffer.read(first);
    assertArrayEquals(new float[] {9, 2}, first);
  }

  @Test
  void aSliceSharesTheMemory() {
    Buffer buffer = device.allocate(5);
    Buffer part = buffer.slice(1, 3);
    part.write(1, 2, 3);
    assertArrayEquals(new float[] {0, 1, 2, 3, 0}, buffer.read());
    assertArrayEquals(new float[] {3}, part.slice(2, 1).read());
    assertSame(buffer, buffer.slice(0, 5));
  }

  @Test
  void aSliceOutsideThrowsAndNamesTheSizes() {
    Buffer buffer = device.allocate(5);
    long[][] wrong = {{-1, 2}, {0, 6}, {5, 1}, {3, 3}, {0, -1}, {6, 0}, {1, Long.MAX_VALUE}};
    for (long[] part : wrong) {
      var thrown =
          assertThrows(IndexOutOfBoundsException.class, () -> buffer.slice(part[0], part[1]));
      assertEquals(
          "slice: offset=%d, length=%d of a buffer of 5 floats".formatted(part[0], part[1]),
          thrown.getMessage());
    }
  }

  @Test
  void aSliceOfASliceCannotLeaveIt() {
    Buffer part = device.allocate(100).slice(10, 5);
    assertThrows(IndexOutOfBoundsException.class, () -> part.slice(3, 3));
  }

  @Test
  void whatDoesNotFitThrowsAndWritesNothing() {
    Buffer buffer = device.allocate(2);
    var write = assertThrows(IndexOutOfBoundsException.class, () -> buffer.write(1, 2, 3));
    assertTrue(write.getMessage().startsWith("write: 3 values, buffer of 2"), write.getMessage());
    var few = assertThrows(IndexOutOfBoundsException.class, () -> buffer.write(1));
    assertTrue(few.getMessage().contains("or slice(offset, 1) of it"), few.getMessage());
    assertThrows(IndexOutOfBoundsException.class, () -> buffer.writeIndexes(1));
    var indexes = assertThrows(IndexOutOfBoundsException.class, () -> buffer.writeIndexes(1, 2, 3));
    assertTrue(indexes.getMessage().startsWith("writeIndexes: 3 values"), indexes.getMessage());
    var read = assertThrows(IndexOutOfBoundsException.class, () -> buffer.read(new float[3]));
    assertTrue(read.getMessage().startsWith("read: 3 values"), read.getMessage());
    assertArrayEquals(new float[2], buffer.read());
  }

  @Test
  void indexesKeepTheirBits() {
    Buffer buffer = device.allocate(2);
    buffer.writeIndexes(7, Integer.MAX_VALUE);
    assertEquals(7, Float.floatToRawIntBits(buffer.read()[0]));
  }

  /** On a GPU the memory goes with the context; then the use throws. */
  @Test
  void anAllocationOutlivesItsDeviceOrSaysThatItIsClosed() {
    Device other = Devices.opened();
    Buffer buffer = other.allocate(1);
    buffer.write(5);
    other.close();
    if (Devices.isCpu()) {
      assertArrayEquals(new float[] {5}, buffer.read());
    } else {
      var read = assertThrows(IllegalStateException.class, buffer::read);
      assertTrue(read.getMessage().contains("is closed"), read.getMessage());
    }
  }
}
