package io.recur.device.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.recur.device.Buffer;
import io.recur.device.Device;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class SlicesTest {
  private final Device device;

  SlicesTest(Device device) {
    this.device = device;
  }

  private Buffer six() {
    Buffer buffer = device.allocate(6);
    buffer.write(0, 1, 2, 3, 4, 5);
    return buffer;
  }

  @Test
  void piecesLieBehindEachOther() {
    Slices slices = new Slices().of(six(), 2);
    assertArrayEquals(new float[] {4, 5}, slices.at(2).read());
    assertArrayEquals(new float[] {0, 1}, slices.at(0).read());
    assertThrows(IndexOutOfBoundsException.class, () -> slices.at(3));
  }

  @Test
  void piecesLieAtEqualDistances() {
    Slices slices = new Slices().of(six(), 1, 3, 2);
    assertArrayEquals(new float[] {1, 2}, slices.at(0).read());
    assertArrayEquals(new float[] {4, 5}, slices.at(1).read());
  }

  @Test
  void piecesOfTheSameBufferAreKept() {
    Buffer whole = six();
    Slices slices = new Slices().of(whole, 2);
    Buffer second = slices.at(1);
    assertSame(second, slices.of(whole, 2).at(1));
    assertSame(whole, slices.whole());
    assertNotSame(second, slices.of(six(), 2).at(1));
    assertArrayEquals(new float[] {3, 4, 5}, slices.of(whole, 3).at(1).read());
    assertArrayEquals(new float[] {2, 3}, slices.of(whole, 2).at(1).read());
  }

  @Test
  void piecesOfNoBufferThrow() {
    assertThrows(NullPointerException.class, () -> new Slices().at(0));
  }
}
