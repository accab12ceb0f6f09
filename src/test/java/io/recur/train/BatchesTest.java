package io.recur.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Devices;
import io.recur.grad.ShapeException;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag(Devices.CPU)
class BatchesTest {
  private static final Batches.Loss NONE = (tape, examples) -> null;

  private static int[] sorted(int[][] batches) {
    return Arrays.stream(batches).flatMapToInt(Arrays::stream).sorted().toArray();
  }

  @Test
  void everyExampleIsInOneBatchOfAPass() {
    Random random = new Random(1);
    for (int n = 1; n < 40; n++) {
      int[] lengths = random.ints(n, 1, 5).toArray();
      for (int batch : new int[] {1, 3, 100}) {
        int[] all = IntStream.range(0, n).toArray();
        assertArrayEquals(all, sorted(Batches.shuffled(n, batch, NONE).pass(7, 2)));
        assertArrayEquals(all, sorted(Batches.byLength(lengths, batch, NONE).pass(7, 2)));
        int[][] inOrder = Batches.inOrder(n, batch, NONE).pass(7, 2);
        assertArrayEquals(all, Arrays.stream(inOrder).flatMapToInt(Arrays::stream).toArray());
        assertEquals(Math.ceilDiv(n, batch), inOrder.length);
        assertEquals(n, Batches.carried(n, NONE).pass(7, 2).length);
      }
    }
  }

  @Test
  void theOrderDependsOnSeedAndPassAlone() {
    int[] lengths = new Random(1).ints(50, 1, 5).toArray();
    for (Batches batches :
        new Batches[] {Batches.shuffled(50, 8, NONE), Batches.byLength(lengths, 8, NONE)}) {
      int[][] first = batches.pass(3, 0);
      int[][] second = batches.pass(3, 1);
      assertFalse(Arrays.deepEquals(first, second));
      assertFalse(Arrays.deepEquals(first, batches.pass(4, 0)));
      assertTrue(Arrays.deepEquals(first, batches.pass(3, 0)));
      assertTrue(Arrays.deepEquals(second, batches.pass(3, 1)));
    }
  }

  @Test
  void batchesByLengthHaveOneLength() {
    int[] lengths = new Random(1).ints(200, 1, 9).toArray();
    int[][] batches = Batches.byLength(lengths, 8, NONE).pass(0, 0);
    for (int[] batch : batches) {
      assertEquals(1, Arrays.stream(batch).map(i -> lengths[i]).distinct().count());
      assertTrue(batch.length <= 8);
    }
    int[] firsts = Arrays.stream(batches).mapToInt(batch -> lengths[batch[0]]).toArray();
    assertFalse(Arrays.equals(firsts, IntStream.of(firsts).sorted().toArray())); // mixed
    assertTrue(batches.length <= 200 / 8 + 8); // one batch per length may be smaller
  }

  @Test
  void numbersBelowOneThrow() {
    Thrown.says(
        ShapeException.class,
        () -> Batches.shuffled(0, 1, NONE),
        "batches: examples=0, batch=1; need 1 or more of each");
    Thrown.says(ShapeException.class, () -> Batches.inOrder(1, 0, NONE), "batch=0");
    Thrown.says(ShapeException.class, () -> Batches.carried(-1, NONE), "examples=-1");
    Thrown.says(ShapeException.class, () -> Batches.byLength(new int[0], 1, NONE), "examples=0");
  }
}
