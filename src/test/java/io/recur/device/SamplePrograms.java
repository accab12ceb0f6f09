package io.recur.device;

import io.recur.device.ProgramSketch.Role;
import io.recur.device.ProgramSketch.Sample;
import io.recur.device.kernels.Binary;
import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.Instruction;
import io.recur.device.kernels.Reduction;
import java.util.List;

/** Programs written by hand: each instruction, each function, and what a device may do early. */
public final class SamplePrograms {
  private SamplePrograms() {}

  /** What all of them are to a device, in the order of {@link #all}. */
  public static List<CellProgram> programs(int in, int units) {
    return all(in, units).stream().map(Sample::program).toList();
  }

  /** All of them. */
  static List<Sample> all(int in, int units) {
    return List.of(
        GatedPrograms.rnn(in, units),
        GatedPrograms.lstm(in, units),
        GatedPrograms.gru(in, units),
        GatedPrograms.gruV3(in, units),
        normalised(in, units),
        softmax(in, units),
        oneHot(in, units),
        dropped(in, units),
        tridiagonal(units),
        scan(in, units),
        begun(in, units),
        functions(units));
  }

  /** h' = tanh(gain·normalised(Wi x + Wh h) + b): layer normalisation over the rows. */
  static Sample normalised(int in, int units) {
    ProgramSketch its = new ProgramSketch();
    int x = its.array(in, Role.INPUT);
    int h = its.array(units, Role.STATES);
    int dy = its.array(units, Role.DY);
    int sums = its.array(units, Role.KEPT);
    int rows = its.array(2, Role.KEPT);
    int normal = its.tiles(units, Role.KEPT);
    int dsum = its.array(units, Role.GRADIENT);
    int dgain = its.array(units, Role.GRADIENT);
    int db = its.array(units, Role.GRADIENT);
    int dnormal = its.tiles(units, Role.LAST);
    int gain = its.vector(units);
    int b = its.vector(units);
    int wi = its.whole(units, in);
    int wh = its.whole(units, units);
    int mean = its.reduction(Reduction.SUM, units);
    int variance = its.reduction(Reduction.VARIANCE, units);
    int plain = its.reduction(Reduction.SUM, units);
    int weighted = its.reduction(Reduction.SUM, units);
    float share = 1f / units;

    SectionSketch first = new SectionSketch(units);
    int sum = first.product(first.product(Instruction.NONE, wi, x, 0), wh, h, 0);
    first.store(sum, sums, 0, 0);
    first.reduce(sum, mean);
    first.reduce(sum, variance);
    its.forward(first);
    SectionSketch second = new SectionSketch(units);
    int centred =
        second.subtract(second.load(sums, 0, 0), second.affine(second.reduced(mean), share, 0));
    int deviation = second.map(Elementwise.SQRT, second.affine(second.reduced(variance), 1, 1e-3f));
    int normalised = second.combine(Binary.DIVIDE, centred, deviation);
    second.store(normalised, normal, 0, 0);
    int scaled =
        second.add(second.multiply(normalised, second.vector(gain, 0)), second.vector(b, 0));
    second.store(second.map(Elementwise.TANH, scaled), h, 0, 1);
    SectionSketch row = new SectionSketch(1);
    row.store(row.affine(row.reduced(mean), share, 0), rows, 0, 0);
    row.store(row.map(Elementwise.SQRT, row.affine(row.reduced(variance), 1, 1e-3f)), rows, 1, 0);
    its.forward(second, row);

    SectionSketch back = new SectionSketch(units);
    int total = back.pull(back.load(dy, 0, 0), wh, dsum);
    int d = back.derivative(Elementwise.TANH, total, back.load(h, 0, 1));
    normalised = back.load(normal, 0, 0);
    back.store(d, db, 0, 0);
    back.store(back.multiply(d, normalised), dgain, 0, 0);
    int scaledDown = back.multiply(d, back.vector(gain, 0));
    back.store(scaledDown, dnormal, 0, 0);
    back.reduce(scaledDown, plain);
    back.reduce(back.multiply(scaledDown, normalised), weighted);
    its.backward(back);
    SectionSketch then = new SectionSketch(units);
    int low = then.affine(then.reduced(plain), share, 0);
    int derivative = then.affine(then.reduced(weighted), share, 0);
    normalised = then.load(normal, 0, 0);
    int centredDown = then.subtract(then.load(dnormal, 0, 0), low);
    int left = then.subtract(centredDown, then.multiply(normalised, derivative));
    then.store(then.combine(Binary.DIVIDE, left, then.loadRow(rows, 1, 0)), dsum, 0, 0);
    its.backward(then);
    return its.gradient(wi, dsum, x)
        .gradient(wh, dsum, h)
        .vectorGradient(gain, 0, dgain)
        .vectorGradient(b, 0, db)
        .named("normalised");
  }

  /** h' = softmax(Wi x + Wh h + b) over the rows: three phases. */
  static Sample softmax(int in, int units) {
    ProgramSketch its = new ProgramSketch();
    int x = its.array(in, Role.INPUT);
    int h = its.array(units, Role.STATES);
    int dy = its.array(units, Role.DY);
    int a = its.tiles(units, Role.KEPT);
    int e = its.tiles(units, Role.KEPT);
    int d = its.tiles(units, Role.LAST);
    int da = its.array(units, Role.GRADIENT);
    int b = its.vector(units);
    int wi = its.whole(units, in);
    int wh = its.whole(units, units);
    int largest = its.reduction(Reduction.MAX, units);
    int sum = its.reduction(Reduction.SUM, units);
    int mean = its.reduction(Reduction.SUM, units);

    SectionSketch first = new SectionSketch(units);
    int score = first.product(first.product(first.vector(b, 0), wi, x, 0), wh, h, 0);
    first.store(score, a, 0, 0);
    first.reduce(score, largest);
    its.forward(first);
    SectionSketch second = new SectionSketch(units);
    int lower = second.subtract(second.load(a, 0, 0), second.reduced(largest));
    int exponential = second.map(Elementwise.EXP, lower);
    second.store(exponential, e, 0, 0);
    second.reduce(exponential, sum);
    its.forward(second);
    SectionSketch third = new SectionSketch(units);
    int share = third.combine(Binary.DIVIDE, third.load(e, 0, 0), third.reduced(sum));
    third.store(share, h, 0, 1);
    its.forward(third);

    SectionSketch back = new SectionSketch(units);
    int total = back.pull(back.load(dy, 0, 0), wh, da);
    back.store(total, d, 0, 0);
    back.reduce(back.multiply(total, back.load(h, 0, 1)), mean);
    its.backward(back);
    SectionSketch then = new SectionSketch(units);
    int above = then.subtract(then.load(d, 0, 0), then.reduced(mean));
    then.store(then.multiply(then.load(h, 0, 1), above), da, 0, 0);
    its.backward(then);
    return its.gradient(wi, da, x).gradient(wh, da, h).vectorGradient(b, 0, da).named("softmax");
  }

  /** h' = softsign(W[:, class] + Wh h + b): one-hot input. */
  static Sample oneHot(int in, int units) {
    ProgramSketch its = new ProgramSketch();
    int h = its.array(units, Role.STATES);
    int dy = its.array(units, Role.DY);
    int da = its.array(units, Role.GRADIENT);
    int dh = its.array(units, Role.LAST);
    int b = its.vector(units);
    int table = its.table(units, in);
    int wh = its.whole(units, units);
    SectionSketch step = new SectionSketch(units);
    int sum = step.product(step.gather(step.vector(b, 0), table), wh, h, 0);
    step.store(step.map(Elementwise.SOFTSIGN, sum), h, 0, 1);
    its.forward(step);
    SectionSketch back = new SectionSketch(units);
    int total = back.pull(back.load(dy, 0, 0), wh, da);
    int y = back.load(h, 0, 1); // softsign' = (1 − |y|)²
    int derivative = back.map(Elementwise.SQUARE, back.affine(back.map(Elementwise.ABS, y), -1, 1));
    int d = back.multiply(total, derivative);
    back.store(d, da, 0, 0);
    back.scatter(d, table);
    its.backward(back);
    SectionSketch last = new SectionSketch(units);
    last.store(last.pull(Instruction.NONE, wh, da), dh, 0, 0);
    its.end(last);
    return its.gradient(wh, da, h).vectorGradient(b, 0, da).named("one-hot");
  }

  /** h' = tanh(Wi drop(x) + drop(Wh h)): two draws, the first in a section of its own. */
  static Sample dropped(int in, int units) {
    ProgramSketch its = new ProgramSketch();
    int x = its.array(in, Role.INPUT);
    int h = its.array(units, Role.STATES);
    int dy = its.array(units, Role.DY);
    int kept = its.array(in, Role.KEPT);
    int da = its.array(units, Role.GRADIENT);
    int dp = its.array(units, Role.GRADIENT);
    int wi = its.whole(units, in);
    int wh = its.whole(units, units);
    int ofInput = its.draw();
    int ofProduct = its.draw();
    SectionSketch input = new SectionSketch(in);
    input.store(input.drop(input.load(x, 0, 0), 0.3f, ofInput, in, 0), kept, 0, 0);
    its.forward(input);
    SectionSketch step = new SectionSketch(units);
    int product = step.product(Instruction.NONE, wh, h, 0);
    product = step.drop(product, 0.5f, ofProduct, units + 2, 1);
    int sum = step.product(product, wi, kept, 0);
    step.store(step.map(Elementwise.TANH, sum), h, 0, 1);
    its.forward(step);
    SectionSketch back = new SectionSketch(units);
    int total = back.pull(back.load(dy, 0, 0), wh, dp);
    int d = back.derivative(Elementwise.TANH, total, back.load(h, 0, 1));
    back.store(d, da, 0, 0);
    back.store(back.drop(d, 0.5f, ofProduct, units + 2, 1), dp, 0, 0);
    its.backward(back);
    return its.gradient(wi, da, kept).gradient(wh, dp, h).named("dropped");
  }

  /** h' = tanh(x + l∘(h from the row above) + m∘h + u∘(h from the row below)). */
  static Sample tridiagonal(int units) {
    ProgramSketch its = new ProgramSketch();
    int x = its.array(units, Role.INPUT);
    int h = its.array(units, Role.STATES);
    int dy = its.array(units, Role.DY);
    int da = its.array(units, Role.ENDED);
    int[] dv = new int[3];
    int[] v = new int[3];
    SectionSketch step = new SectionSketch(units);
    int sum = step.load(x, 0, 0);
    SectionSketch back = new SectionSketch(units);
    int total = back.load(dy, 0, 0);
    for (int k = 0; k < 3; k++) {
      v[k] = its.vector(units);
      dv[k] = its.array(units, Role.GRADIENT);
      sum = step.add(sum, step.multiply(step.vector(v[k], 0), step.load(h, k - 1, 0)));
      // da holds zeros after the last step, and row i of h reached rows i − 1 to i + 1
      int reached = back.multiply(back.vector(v[k], 1 - k), back.load(da, 1 - k, 1));
      total = back.add(total, reached);
    }
    step.store(step.map(Elementwise.TANH, sum), h, 0, 1);
    its.forward(step);
    int d = back.derivative(Elementwise.TANH, total, back.load(h, 0, 1));
    back.store(d, da, 0, 0);
    for (int k = 0; k < 3; k++) {
      back.store(back.multiply(d, back.load(h, k - 1, 0)), dv[k], 0, 0);
      its.vectorGradient(v[k], 0, dv[k]);
    }
    SectionSketch beyond = new SectionSketch(units + 2); // no array has its first and last row
    int shifted = its.array(units, Role.GRADIENT);
    beyond.store(beyond.affine(beyond.load(dy, -1, 0), 1, 1), shifted, -1, 0);
    its.backward(back, beyond);
    its.vectorGradient(its.vector(units), 0, shifted);
    return its.named("tridiagonal");
  }

  /** h' = (1 − z)∘h + z∘(W x + b), z = σ(Wz x + bz): minGRU, of which no step waits for another. */
  static Sample scan(int in, int units) {
    ProgramSketch its = new ProgramSketch();
    int x = its.array(in, Role.INPUT);
    int h = its.array(units, Role.STATES);
    int dy = its.array(units, Role.DY);
    int dh = its.array(units, Role.CARRIED);
    int da = its.array(2 * units, Role.GRADIENT);
    int updates = its.tiles(units, Role.KEPT);
    int candidates = its.tiles(units, Role.KEPT);
    int b = its.vector(2 * units);
    int w = its.matrix(2 * units, in);
    int all = its.rows(w, 0, 2 * units);
    SectionSketch step = new SectionSketch(units);
    int z = step.product(step.vector(b, 0), its.rows(w, 0, units), x, 0);
    z = step.map(Elementwise.SIGMOID, z);
    int candidate = step.product(step.vector(b, units), its.rows(w, units, units), x, 0);
    step.store(z, updates, 0, 0);
    step.store(candidate, candidates, 0, 0);
    int state = step.load(h, 0, 0);
    int moved = step.multiply(z, step.subtract(candidate, state));
    step.store(step.add(state, moved), h, 0, 1);
    its.forward(step);
    SectionSketch after = new SectionSketch(units);
    after.store(after.affine(after.load(h, 0, 0), 2, 0), its.array(units, Role.LAST), 0, 0);
    its.forwardEnd(after);
    SectionSketch back = new SectionSketch(units);
    int total = back.add(back.load(dy, 0, 0), back.load(dh, 0, 1));
    z = back.load(updates, 0, 0);
    int difference = back.subtract(back.load(candidates, 0, 0), back.load(h, 0, 0));
    back.store(back.derivative(Elementwise.SIGMOID, back.multiply(total, difference), z), da, 0, 0);
    int dcandidate = back.multiply(total, z);
    back.store(dcandidate, da, units, 0);
    back.store(back.subtract(total, dcandidate), dh, 0, 0);
    its.backward(back);
    return its.gradient(all, da, x).vectorGradient(b, 0, da).named("scan");
  }

  /**
   * Products whose sums begin with rows of a vector, also with rows that it has not, with 0 and
   * with a value, side by side; and in backward products that the first step leaves out.
   */
  static Sample begun(int in, int units) {
    ProgramSketch its = new ProgramSketch();
    int x = its.array(in, Role.INPUT);
    int h = its.array(units, Role.STATES);
    int dy = its.array(units, Role.DY);
    int da = its.array(units, Role.GRADIENT);
    int v = its.vector(units + 2);
    int b = its.vector(units + 40);
    int wi = its.whole(units, in);
    int wj = its.whole(units, in);
    int wh = its.whole(units, units);
    int wk = its.whole(units, units);
    SectionSketch step = new SectionSketch(units);
    int first = step.product(step.vector(v, 2), wi, x, 0);
    int second = step.product(Instruction.NONE, wj, x, 0);
    int third = step.product(step.vector(b, 40), wk, h, 0);
    int sum = step.add(step.product(first, wh, h, 0), step.add(second, third));
    step.store(step.map(Elementwise.TANH, sum), h, 0, 1);
    its.forward(step);
    SectionSketch back = new SectionSketch(units);
    int pulled = back.subtract(back.pull(back.vector(v, -1), wh, da), back.vector(v, -1));
    int total = back.add(back.load(dy, 0, 0), pulled);
    total = back.add(total, back.pull(Instruction.NONE, wk, da));
    back.store(back.derivative(Elementwise.TANH, total, back.load(h, 0, 1)), da, 0, 0);
    its.backward(back);
    return its.gradient(wi, da, x)
        .gradient(wj, da, x)
        .gradient(wh, da, h)
        .gradient(wk, da, h)
        .vectorGradient(v, 2, da)
        .vectorGradient(b, 40, da)
        .named("begun");
  }

  /** Every function of one value and of two, and their derivatives. */
  static Sample functions(int units) {
    ProgramSketch its = new ProgramSketch();
    int x = its.array(units, Role.INPUT);
    int y = its.array(units, Role.INPUT);
    int h = its.array(units, Role.STATES);
    int v = its.vector(3);
    SectionSketch step = new SectionSketch(units);
    SectionSketch back = new SectionSketch(units);
    int a = step.load(x, 0, 0);
    int b = step.loadRow(y, units - 1, 0);
    for (Binary f : Binary.values()) {
      step.store(step.combine(f, a, b), its.array(units, Role.KEPT), 0, 0);
      step.store(step.combine(f, a, a), its.array(units, Role.KEPT), 0, 0);
    }
    int positive = step.affine(step.map(Elementwise.ABS, a), 2, 0.5f);
    for (Elementwise f : Elementwise.values()) {
      int kept = its.array(units, Role.KEPT);
      boolean fromY =
          switch (f) {
            case TANH, SIGMOID, EXP, SQRT, RECIPROCAL -> true;
            default -> false;
          };
      int argument = f == Elementwise.LOG || f == Elementwise.SQRT ? positive : a;
      step.store(step.map(f, argument), kept, 0, 0);
      int before = back.load(x, 0, 0);
      if (argument == positive) {
        before = back.affine(back.map(Elementwise.ABS, before), 2, 0.5f);
      }
      int d =
          fromY
              ? back.derivative(f, back.load(y, 0, 0), back.load(kept, 0, 0))
              : back.derivative(f, back.load(y, 0, 0), before, Instruction.NONE);
      back.store(d, its.array(units, Role.KEPT), 0, 0);
    }
    int scalar = step.multiply(step.scalar(v, 1), step.constant(0.5f));
    step.store(step.add(scalar, step.load(h, 1, 0)), h, 0, 1);
    its.forward(step);
    its.backward(back);
    return its.named("functions");
  }
}
