package io.recur.train.show;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag(Devices.CPU)
class BarTest {
  private static String shown(int width) {
    StringWriter text = new StringWriter();
    try (Bar bar = new Bar(new PrintWriter(text), "pass 3", "steps", 8, width)) {
      bar.show(8, "loss 0.5");
    }
    return text.toString();
  }

  @Test
  void onATerminalItIsOneLineOfItsWidth() {
    String text = shown(72);
    assertTrue(text.startsWith("\r") && text.endsWith(System.lineSeparator()), text);
    String[] bars = text.replace(System.lineSeparator(), "").substring(1).split("\r");
    for (String bar : bars) {
      assertEquals(71, bar.length(), bar);
    }
    assertTrue(bars[bars.length - 1].startsWith("pass 3 100% ["), text);
    assertTrue(bars[bars.length - 1].contains("8/8 steps") && text.contains("loss 0.5"), text);
  }

  /** What a program prints after a bar begins on a line of its own. */
  @Test
  void nothingFollowsTheEndOfItsLine() {
    StringWriter text = new StringWriter();
    Bar bar = new Bar(new PrintWriter(text), "pass 3", "steps", 8, 72);
    bar.close();
    bar.shown.accept("pass 3 100%");
    assertTrue(text.toString().endsWith(System.lineSeparator()), text.toString());
  }

  @Test
  void elsewhereItIsLines() {
    String text = shown(0);
    assertFalse(text.contains("\r") && !System.lineSeparator().contains("\r"), text);
    List<String> lines = text.lines().toList();
    assertTrue(lines.getLast().startsWith("pass 3 100% ["), text);
    assertTrue(lines.getLast().contains("loss 0.5"), text);
  }
}
