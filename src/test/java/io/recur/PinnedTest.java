package io.recur;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag(Devices.CPU)
class PinnedTest {
  @Test
  void sizesComeFeaturesFirst() {
    Pinned pinned = Pinned.of("cells/lstm_b5_zero_l1.txt");
    assertArrayEquals(new int[] {3, 5, 7}, pinned.dims("x"));
    assertEquals(3 * 5 * 7, pinned.floats("x").length);
    assertEquals(-0.2578125, pinned.doubles("x")[0]);
    assertTrue(pinned.has("dWi0"));
    assertFalse(pinned.has("dWi7"));
  }

  @Test
  void anUnknownNameThrows() {
    Pinned pinned = Pinned.of("clip.txt");
    assertThrows(IllegalArgumentException.class, () -> pinned.floats("nothing"));
    assertThrows(IllegalArgumentException.class, () -> Pinned.of("nothing.txt"));
  }
}
