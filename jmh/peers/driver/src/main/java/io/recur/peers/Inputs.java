package io.recur.peers;

import java.io.IOException;
import java.util.Random;

/** Writes a work's weights and inputs, from one seed, so that all contenders have the same. */
final class Inputs {
  private static final long SEED = 42;

  private final Work work;
  private final Random random = new Random(SEED);

  private Inputs(Work work) {
    this.work = work;
  }

  static void write(Work work) throws IOException {
    work.write();
    new Inputs(work).write();
  }

  private void write() throws IOException {
    if (work.kind().equals(Work.PRODUCT)) {
      put("A", work.in() * work.in(), 1);
      put("B", work.in() * work.in(), 1);
      return;
    }
    int out = work.hidden();
    int rows = work.gates() * out;
    double scale = 1 / Math.sqrt(out); // as PyTorch begins
    for (int l = 0; l < work.layers(); l++) {
      put("Wi" + l, rows * work.in(l), scale);
      put("Wh" + l, rows * out, scale);
      put("b" + l, rows, scale);
      if (work.cell().equals("GRU")) {
        put("bh" + l, out, scale);
      }
    }
    if (work.kind().equals(Work.CHARACTERS)) {
      put("Whead", work.in() * out, scale);
      put("bhead", work.in(), scale);
      Work.write(work.folder(), "text", text());
    } else {
      put("x", work.in() * work.batch() * work.time(), 1);
    }
  }

  private void put(String name, int count, double scale) throws IOException {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) ((2 * random.nextDouble() - 1) * scale);
    }
    Work.write(work.folder(), name, values);
  }

  /** Streams one after the other; each character is one or two more than the one before. */
  private float[] text() {
    float[] text = new float[work.batch() * (Work.CHUNKS * work.time() + 1)];
    for (int i = 1; i < text.length; i++) {
      text[i] = (text[i - 1] + 1 + random.nextInt(2)) % work.in();
    }
    return text;
  }
}
