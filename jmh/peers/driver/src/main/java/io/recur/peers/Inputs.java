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
      put("A", work.in() * work.in(), 0, 1);
      put("B", work.in() * work.in(), 0, 1);
      return;
    }
    int out = work.hidden();
    double scale = 1 / Math.sqrt(out); // as PyTorch begins
    for (int l = 0; l < work.layers(); l++) {
      for (String direction : work.directions()) {
        for (Recurrence.Part part : Recurrence.of(work.cell()).parts()) {
          int count = part.rows(out) * part.columns(work.in(l), out);
          put(part.name() + l + direction, count, part.centre(), scale);
        }
      }
    }
    if (work.kind().equals(Work.LENGTHS)) {
      int[] lengths = work.lengths();
      float[] values = new float[lengths.length];
      for (int i = 0; i < values.length; i++) {
        values[i] = lengths[i];
      }
      Work.write(work.folder(), "lengths", values);
    }
    if (work.kind().equals(Work.CHARACTERS)) {
      put("Whead", work.in() * out, 0, scale);
      put("bhead", work.in(), 0, scale);
      Work.write(work.folder(), "text", text());
    } else if (work.cell().equals(Recurrence.MIN_GRU_SCAN)) {
      put("x", work.in() * work.batch() * work.time(), 0.5, 0.5); // a and b of h' = a∘h + b
    } else {
      put("x", work.in() * work.batch() * work.time(), 0, 1);
    }
  }

  private void put(String name, int count, double centre, double scale) throws IOException {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (centre + (2 * random.nextDouble() - 1) * scale);
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
