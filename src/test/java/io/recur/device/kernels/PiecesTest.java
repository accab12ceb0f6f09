package io.recur.device.kernels;

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
class PiecesTest {
  private final Device device;

  PiecesTest(Device device) {
    this.device = device;
  }

  private Buffer six() {
    Buffer buffer = device.allocate(6);
    buffer.write(0, 1, 2, 3, 4, 5);
    return buffer;
  }

  @Test
  void piecesLieBehindEachOther() {
    Pieces pieces = new Pieces().of(six(), 2);
    assertArrayEquals(new float[] {4, 5}, pieces.at(2).read());
    assertArrayEquals(new float[] {0, 1}, pieces.at(0).read());
    assertThrows(IndexOutOfBoundsException.class, () -> pieces.at(3));
  }

  @Test
  void piecesLieAtEqualDistances() {
    Pieces pieces = new Pieces().of(six(), 1, 3, 2);
    assertArrayEquals(new float[] {1, 2}, pieces.at(0).read());
    assertArrayEquals(new float[] {4, 5}, pieces.at(1).read());
  }

  @Test
  void piecesOfTheSameBufferAreKept() {
    Buffer whole = six();
    Pieces pieces = new Pieces().of(whole, 2);
    Buffer second = pieces.at(1);
    assertSame(second, pieces.of(whole, 2).at(1));
    assertSame(whole, pieces.whole());
    assertNotSame(second, pieces.of(six(), 2).at(1));
    assertArrayEquals(new float[] {3, 4, 5}, pieces.of(whole, 3).at(1).read());
    assertArrayEquals(new float[] {2, 3}, pieces.of(whole, 2).at(1).read());
  }

  @Test
  void piecesOfNoBufferThrow() {
    assertThrows(NullPointerException.class, () -> new Pieces().at(0));
  }
}
