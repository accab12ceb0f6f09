package io.recur.device;

import io.recur.device.ProgramSketch.Role;
import io.recur.device.ProgramSketch.Sample;
import io.recur.device.kernels.Instruction;
import java.util.ArrayList;
import java.util.List;

/** The built-in cells as programs, as a compiler would write them. */
final class GatedPrograms {
  private GatedPrograms() {}

  /** h' = tanh(Wi x + Wh h + b), with the gradient of x from a phase of its own. */
  static Sample rnn(int in, int units) {
    ProgramSketch its = new ProgramSketch();
    int x = its.array(in, Role.INPUT);
    int h = its.array(units, Role.STATES);
    int dy = its.array(units, Role.DY);
    int da = its.array(units, Role.GRADIENT);
    int dh = its.array(units, Role.LAST);
    int dx = its.array(in, Role.KEPT);
    int b = its.vector(units);
    int wi = its.whole(units, in);
    int wh = its.whole(units, units);

    SectionSketch step = new SectionSketch(units);
    int sum = step.product(step.product(step.vector(b, 0), wi, x, 0), wh, h, 0);
    step.store(step.map(Elementwise.TANH, sum), h, 0, 1);
    its.forward(step);

    SectionSketch back = new SectionSketch(units);
    int total = back.pull(back.load(dy, 0, 0), wh, da);
    back.store(back.derivative(Elementwise.TANH, total, back.load(h, 0, 1)), da, 0, 0);
    its.backward(back);
    SectionSketch input = new SectionSketch(in);
    input.store(input.transposed(Instruction.NONE, wi, da), dx, 0, 0);
    its.backward(input);
    its.end(before(units, wh, da, dh));
    return its.gradient(wi, da, x).gradient(wh, da, h).vectorGradient(b, 0, da).named("rnn");
  }

  /** The gradient of the state before the first step, where only a product leads to it. */
  private static SectionSketch before(int units, int wh, int d, int dh) {
    SectionSketch last = new SectionSketch(units);
    last.store(last.pull(Instruction.NONE, wh, d), dh, 0, 0);
    return last;
  }

  /** Long short-term memory; its activations are kept as tiles. */
  static Sample lstm(int in, int units) {
    ProgramSketch its = new ProgramSketch();
    int x = its.array(in, Role.INPUT);
    int h = its.array(units, Role.STATES);
    int c = its.array(units, Role.STATES);
    int dy = its.array(units, Role.DY);
    int da = its.array(4 * units, Role.GRADIENT);
    int dh = its.array(units, Role.LAST);
    int dc = its.array(units, Role.CARRIED);
    int squashes = its.tiles(units, Role.KEPT);
    int b = its.vector(4 * units);
    int wi = its.matrix(4 * units, in);
    int wh = its.matrix(4 * units, units);
    int allWi = its.rows(wi, 0, 4 * units);
    int allWh = its.rows(wh, 0, 4 * units);

    SectionSketch step = new SectionSketch(units);
    List<Integer> kept = new ArrayList<>();
    int[] gates = new int[4];
    for (int g = 0; g < 4; g++) {
      int sum = step.product(step.vector(b, g * units), its.rows(wi, g * units, units), x, 0);
      gates[g] = step.product(sum, its.rows(wh, g * units, units), h, 0);
    }
    for (int g = 0; g < 4; g++) {
      gates[g] = step.map(g == 2 ? Elementwise.TANH : Elementwise.SIGMOID, gates[g]);
      kept.add(its.tiles(units, Role.KEPT));
      step.store(gates[g], kept.get(g), 0, 0);
    }
    int cell =
        step.add(step.multiply(gates[1], step.load(c, 0, 0)), step.multiply(gates[0], gates[2]));
    step.store(cell, c, 0, 1);
    int squashed = step.map(Elementwise.TANH, cell);
    step.store(squashed, squashes, 0, 0);
    step.store(step.multiply(gates[3], squashed), h, 0, 1);
    its.forward(step);

    SectionSketch back = new SectionSketch(units);
    int total = back.pull(back.load(dy, 0, 0), allWh, da);
    for (int g = 0; g < 4; g++) {
      gates[g] = back.load(kept.get(g), 0, 0);
    }
    squashed = back.load(squashes, 0, 0);
    int dsquashed = back.multiply(total, gates[3]);
    int dcell =
        back.add(back.load(dc, 0, 1), back.derivative(Elementwise.TANH, dsquashed, squashed));
    int[] d = {
      back.multiply(dcell, gates[2]),
      back.multiply(dcell, back.load(c, 0, 0)),
      back.multiply(dcell, gates[0]),
      back.multiply(total, squashed)
    };
    for (int g = 0; g < 4; g++) {
      Elementwise f = g == 2 ? Elementwise.TANH : Elementwise.SIGMOID;
      back.store(back.derivative(f, d[g], gates[g]), da, g * units, 0);
    }
    back.store(back.multiply(dcell, gates[1]), dc, 0, 0);
    its.backward(back);
    its.end(before(units, allWh, da, dh));
    return its.gradient(allWi, da, x).gradient(allWh, da, h).vectorGradient(b, 0, da).named("lstm");
  }

  /** Gated recurrent unit, reset after the product, with a bias of that. */
  static Sample gru(int in, int units) {
    ProgramSketch its = new ProgramSketch();
    int x = its.array(in, Role.INPUT);
    int h = its.array(units, Role.STATES);
    int dy = its.array(units, Role.DY);
    int da = its.array(3 * units, Role.GRADIENT);
    int dp = its.array(3 * units, Role.GRADIENT);
    int dbh = its.array(units, Role.GRADIENT);
    int dh = its.array(units, Role.CARRIED);
    int resets = its.tiles(units, Role.KEPT);
    int updates = its.tiles(units, Role.KEPT);
    int candidates = its.tiles(units, Role.KEPT);
    int products = its.tiles(units, Role.KEPT);
    int b = its.vector(3 * units);
    int bh = its.vector(units);
    int wi = its.matrix(3 * units, in);
    int wh = its.matrix(3 * units, units);
    int allWi = its.rows(wi, 0, 3 * units);
    int allWh = its.rows(wh, 0, 3 * units);

    SectionSketch step = new SectionSketch(units);
    int[] sums = new int[3];
    for (int g = 0; g < 3; g++) {
      sums[g] = step.product(step.vector(b, g * units), its.rows(wi, g * units, units), x, 0);
    }
    int[] pushed = {sums[0], sums[1], step.vector(bh, 0)};
    for (int g = 0; g < 3; g++) {
      pushed[g] = step.product(pushed[g], its.rows(wh, g * units, units), h, 0);
    }
    int reset = step.map(Elementwise.SIGMOID, pushed[0]);
    int update = step.map(Elementwise.SIGMOID, pushed[1]);
    int candidate = step.map(Elementwise.TANH, step.add(sums[2], step.multiply(reset, pushed[2])));
    step.store(reset, resets, 0, 0);
    step.store(update, updates, 0, 0);
    step.store(candidate, candidates, 0, 0);
    step.store(pushed[2], products, 0, 0);
    int moved = step.multiply(update, step.subtract(step.load(h, 0, 0), candidate));
    step.store(step.add(candidate, moved), h, 0, 1);
    its.forward(step);

    SectionSketch back = new SectionSketch(units);
    int total = back.pull(back.add(back.load(dy, 0, 0), back.load(dh, 0, 1)), allWh, dp);
    reset = back.load(resets, 0, 0);
    update = back.load(updates, 0, 0);
    candidate = back.load(candidates, 0, 0);
    int difference = back.subtract(back.load(h, 0, 0), candidate);
    int dupdate = back.derivative(Elementwise.SIGMOID, back.multiply(total, difference), update);
    int kept = back.multiply(total, update);
    int dcandidate = back.derivative(Elementwise.TANH, back.subtract(total, kept), candidate);
    int dreset =
        back.derivative(
            Elementwise.SIGMOID, back.multiply(dcandidate, back.load(products, 0, 0)), reset);
    int[] all = {dreset, dupdate, dcandidate};
    int[] ofProducts = {dreset, dupdate, back.multiply(dcandidate, reset)};
    for (int g = 0; g < 3; g++) {
      back.store(all[g], da, g * units, 0);
      back.store(ofProducts[g], dp, g * units, 0);
    }
    back.store(ofProducts[2], dbh, 0, 0);
    back.store(kept, dh, 0, 0);
    its.backward(back);
    SectionSketch last = new SectionSketch(units);
    last.store(last.pull(last.load(dh, 0, 1), allWh, dp), dh, 0, 0);
    its.end(last);
    return its.gradient(allWi, da, x)
        .gradient(allWh, dp, h)
        .vectorGradient(b, 0, da)
        .vectorGradient(bh, 0, dbh)
        .named("gru");
  }

  /** Gated recurrent unit, reset before the product: two phases. */
  static Sample gruV3(int in, int units) {
    ProgramSketch its = new ProgramSketch();
    int x = its.array(in, Role.INPUT);
    int h = its.array(units, Role.STATES);
    int q = its.array(units, Role.KEPT);
    int dy = its.array(units, Role.DY);
    int dn = its.array(units, Role.GRADIENT);
    int dg = its.array(2 * units, Role.GRADIENT);
    int dh = its.array(units, Role.CARRIED);
    int resets = its.tiles(units, Role.KEPT);
    int updates = its.tiles(units, Role.KEPT);
    int candidates = its.tiles(units, Role.KEPT);
    int b = its.vector(3 * units);
    int wi = its.matrix(3 * units, in);
    int wh = its.matrix(2 * units, units);
    int gateWi = its.rows(wi, 0, 2 * units);
    int candidateWi = its.rows(wi, 2 * units, units);
    int gateWh = its.rows(wh, 0, 2 * units);
    int wc = its.whole(units, units);

    SectionSketch first = new SectionSketch(units);
    int[] sums = new int[2];
    for (int g = 0; g < 2; g++) {
      sums[g] = first.product(first.vector(b, g * units), its.rows(wi, g * units, units), x, 0);
      sums[g] = first.product(sums[g], its.rows(wh, g * units, units), h, 0);
      sums[g] = first.map(Elementwise.SIGMOID, sums[g]);
    }
    first.store(sums[0], resets, 0, 0);
    first.store(sums[1], updates, 0, 0);
    first.store(first.multiply(sums[0], first.load(h, 0, 0)), q, 0, 0);
    its.forward(first);
    SectionSketch second = new SectionSketch(units);
    int sum = second.product(second.vector(b, 2 * units), candidateWi, x, 0);
    int candidate = second.map(Elementwise.TANH, second.product(sum, wc, q, 0));
    second.store(candidate, candidates, 0, 0);
    int difference = second.subtract(second.load(h, 0, 0), candidate);
    int moved = second.multiply(second.load(updates, 0, 0), difference);
    second.store(second.add(candidate, moved), h, 0, 1);
    its.forward(second);

    SectionSketch back = new SectionSketch(units);
    int total = back.pull(back.add(back.load(dy, 0, 0), back.load(dh, 0, 1)), gateWh, dg);
    int update = back.load(updates, 0, 0);
    candidate = back.load(candidates, 0, 0);
    int kept = back.multiply(total, update);
    difference = back.subtract(back.load(h, 0, 0), candidate);
    int dupdate = back.multiply(total, difference);
    back.store(back.derivative(Elementwise.SIGMOID, dupdate, update), dg, units, 0);
    int dcandidate = back.subtract(total, kept);
    back.store(back.derivative(Elementwise.TANH, dcandidate, candidate), dn, 0, 0);
    back.store(kept, dh, 0, 0);
    its.backward(back);
    SectionSketch then = new SectionSketch(units);
    int dq = then.transposed(Instruction.NONE, wc, dn);
    int reset = then.load(resets, 0, 0);
    int dreset = then.multiply(dq, then.load(h, 0, 0));
    then.store(then.derivative(Elementwise.SIGMOID, dreset, reset), dg, 0, 0);
    then.store(then.add(then.load(dh, 0, 0), then.multiply(dq, reset)), dh, 0, 0);
    its.backward(then);
    SectionSketch last = new SectionSketch(units);
    last.store(last.pull(last.load(dh, 0, 1), gateWh, dg), dh, 0, 0);
    its.end(last);
    return its.gradient(gateWi, dg, x)
        .gradient(candidateWi, dn, x)
        .gradient(gateWh, dg, h)
        .gradient(wc, dn, q)
        .vectorGradient(b, 0, dg)
        .vectorGradient(b, 2 * units, dn)
        .named("gru v3");
  }
}
