package io.recur.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.OneHot;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

class StreamsTest {
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.inference(device);

  /** The class of each column, read off the dense values. */
  private static int[] classes(OneHot x) {
    float[] dense = x.toArray();
    int rows = x.shape().rows();
    return IntStream.range(0, x.shape().columns())
        .map(
            j ->
                IntStream.range(0, rows)
                    .filter(i -> dense[j * rows + i] == 1)
                    .findFirst()
                    .orElseThrow())
        .toArray();
  }

  @Test
  void targetsAreTheClassesOfTheTarget() {
    Streams streams = new Streams(IntStream.range(0, 23).map(i -> i % 7).toArray(), 7, 2, 4);
    for (int i = 0; i < streams.chunks(); i++) {
      assertArrayEquals(classes(streams.target(tape, i)), streams.targets(i));
    }
    assertThrows(ShapeException.class, () -> streams.targets(streams.chunks()));
  }

  @Test
  void columnsGoOnWhereTheChunkBeforeStopped() {
    int[] text = IntStream.range(0, 23).toArray(); // two streams 0..10 and 11..21, 22 left out
    Streams streams = new Streams(text, 23, 2, 4);
    assertEquals(2, streams.chunks());
    assertEquals(Shape.of(23, 2, 4), streams.input(tape, 0).shape());
    assertArrayEquals(new int[] {0, 11, 1, 12, 2, 13, 3, 14}, classes(streams.input(tape, 0)));
    assertArrayEquals(new int[] {1, 12, 2, 13, 3, 14, 4, 15}, classes(streams.target(tape, 0)));
    assertArrayEquals(new int[] {4, 15, 5, 16, 6, 17, 7, 18}, classes(streams.input(tape, 1)));
  }

  @Test
  void aTextShorterThanOneChunkIsRefusedWithItsNeed() {
    assertEquals(1, new Streams(new int[10], 2, 2, 4).chunks());
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> new Streams(new int[9], 2, 2, 4));
    assertTrue(e.getMessage().contains("9 elements, batch=2, steps=4"), e.getMessage());
    assertTrue(e.getMessage().contains("= 10"), e.getMessage());
  }

  @Test
  void aChunkThatIsNotThereIsRefused() {
    Streams streams = new Streams(new int[10], 2, 2, 4);
    ShapeException e = assertThrows(ShapeException.class, () -> streams.input(tape, 1));
    assertTrue(e.getMessage().contains("chunk=1"), e.getMessage());
  }

  @Test
  void sequencesStandSideBySide() {
    float[][] first = {{1, 2}, {3, 4}, {5, 6}};
    float[][] second = {{7, 8}, {9, 10}, {11, 12}};
    Tensor x = Sequences.batch(tape, List.of(first, second));
    assertEquals(Shape.of(2, 2, 3), x.shape());
    assertArrayEquals(new float[] {1, 2, 7, 8, 3, 4, 9, 10, 5, 6, 11, 12}, x.toArray());
    List<Tensor> chunks = Sequences.chunks(x, 2);
    assertEquals(
        List.of(Shape.of(2, 2, 2), Shape.of(2, 2, 1)), chunks.stream().map(Tensor::shape).toList());
    assertArrayEquals(new float[] {5, 6, 11, 12}, chunks.get(1).toArray());
  }

  @Test
  void unequalSequencesAreRefused() {
    float[][] three = {{1}, {2}, {3}};
    float[][] two = {{1}, {2}};
    float[][] wide = {{1, 1}, {2, 2}, {3, 3}};
    assertThrows(ShapeException.class, () -> Sequences.batch(tape, List.of(three, two)));
    assertThrows(ShapeException.class, () -> Sequences.batch(tape, List.of(three, wide)));
    assertThrows(ShapeException.class, () -> Sequences.batch(tape, List.of()));
  }

  @Test
  void moreValuesThanAShapeCountsAreRefusedWithTheirTrueNumber() {
    float[][] sequence = new float[1 << 16][];
    Arrays.fill(sequence, new float[1 << 16]);
    List<float[][]> one = List.<float[][]>of(sequence);
    String message =
        assertThrows(ShapeException.class, () -> Sequences.batch(tape, one)).getMessage();
    assertTrue(message.contains("4294967296 values"), message);
  }
}
