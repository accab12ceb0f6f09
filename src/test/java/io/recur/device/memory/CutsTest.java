package io.recur.device.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.Devices;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/** A slice at the same place of the same buffer is the same object, another one is a new one. */
class CutsTest {
  @AutoClose private final Device device = Devices.here();
  private final Buffer whole = device.allocate(6);
  private final Cuts cuts = new Cuts();

  @Test
  void aSliceIsThatOfItsPlace() {
    whole.write(1, 2, 3, 4, 5, 6);
    assertArrayEquals(new float[] {3, 4, 5}, cuts.at(whole, 4, 2, 3).read());
    assertArrayEquals(new float[] {1, 2}, cuts.at(whole, 0, 0, 2).read());
  }

  @Test
  void theSamePlaceOfTheSameBufferIsTheSameObject() {
    Buffer first = cuts.at(whole, 0, 0, 2);
    Buffer second = cuts.at(whole, 1, 2, 4);
    assertSame(first, cuts.at(whole, 0, 0, 2));
    assertSame(second, cuts.at(whole, 1, 2, 4));
  }

  @Test
  void anotherPlaceOrBufferIsCutAnew() {
    Buffer first = cuts.at(whole, 0, 0, 2);
    assertNotSame(first, cuts.at(whole, 0, 1, 2));
    assertArrayEquals(new float[3], cuts.at(whole, 0, 1, 3).read());
    Buffer other = device.allocate(6);
    other.write(6, 5, 4, 3, 2, 1);
    assertArrayEquals(new float[] {5, 4, 3}, cuts.at(other, 0, 1, 3).read());
    assertThrows(IndexOutOfBoundsException.class, () -> cuts.at(other, 0, 4, 3));
  }
}
