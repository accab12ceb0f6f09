package io.recur.device.kernels;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.kernels.CellProgram.WeightGradient;
import io.recur.device.kernels.CellProgram.Weights;
import io.recur.device.kernels.ProductSchedule.Call;
import io.recur.device.kernels.ProductSchedule.Phase;
import io.recur.device.memory.Slices;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Computes the products of a {@link ProductSchedule}, step by step or for all steps at once. */
final class StepProducts {
  private final Places places;
  private final Device device;
  private final Blas blas;

  /** Whether the bits of a column must not depend on the others. */
  private boolean alone;

  private final @Nullable Buffer[] matrices;
  private final Map<Call, Slices[]> slices = new IdentityHashMap<>();
  private final Slices[] wholes;

  StepProducts(
      ProductSchedule schedule, Places places, Device device, @Nullable Buffer[] matrices) {
    this.places = places;
    this.device = device;
    this.blas = KernelDevice.of(device).blas();
    this.matrices = matrices;
    List<Call> calls = new ArrayList<>();
    for (ProductSchedule.Pass pass : List.of(schedule.forward(), schedule.backward())) {
      calls.addAll(pass.hoisted());
      pass.phases().forEach(phase -> calls.addAll(phase.calls()));
      pass.end().forEach(phase -> calls.addAll(phase.calls()));
    }
    calls.forEach(call -> slices.put(call, three()));
    int arrays = schedule.program().arrays().size();
    int most = Math.max(schedule.forward().spaces().size(), schedule.backward().spaces().size());
    wholes = new Slices[arrays + most];
    for (int i = 0; i < wholes.length; i++) {
      wholes[i] = new Slices();
    }
  }

  private static Slices[] three() {
    return new Slices[] {new Slices(), new Slices(), new Slices()};
  }

  /** {@return the steps 0 to T−1 of an array} */
  Buffer whole(int array) {
    long words = places.size(array) * places.time();
    return wholes[array].of(places.buffer(array), places.first(array), words, words).at(0);
  }

  /** Computes calls for all steps. */
  void all(List<Call> calls) {
    for (int i = 0; i < calls.size(); i++) {
      all(calls.get(i));
    }
  }

  /** Computes the calls of all phases that could wait for the last step. */
  void sunk(List<Phase> phases) {
    for (int i = 0; i < phases.size(); i++) {
      List<Call> calls = phases.get(i).calls();
      for (int j = 0; j < calls.size(); j++) {
        if (sinks(calls.get(j)) && places.buffer(calls.get(j).result()) != null) {
          all(calls.get(j));
        }
      }
    }
  }

  /** Computes the calls of a phase at a step. */
  void step(List<Call> calls, int t, boolean isFirst) {
    for (int i = 0; i < calls.size(); i++) {
      Call call = calls.get(i);
      if (sinks(call) || places.buffer(call.result()) == null) {
        continue;
      }
      if (!isFirst || !call.skipsFirst()) {
        multiply(call, t, 1);
      } else if (!call.accumulates()) {
        device.pointwise().fill(0, result(call, t, 1), places.size(call.result()));
      }
    }
  }

  /** Whether all steps of operand and result are kept. */
  private boolean sinks(Call call) {
    return call.sinks()
        && places.steps(call.operand()) >= places.time()
        && places.steps(call.result()) >= places.time();
  }

  /** One product for all steps, or a few where an array begins again with its first step. */
  private void all(Call call) {
    int time = places.time();
    for (int t = 0; t < time; ) {
      int steps = run(call.operand(), t + call.lag(), time - t);
      steps = run(call.result(), t + call.resultLag(), steps);
      multiply(call, t, steps);
      t += steps;
    }
  }

  /** {@return how many steps from t on are adjacent} */
  private int run(int array, int t, int most) {
    return Math.min(most, places.steps(array) - places.place(array, t));
  }

  void columnsAlone(boolean alone) {
    this.alone = alone;
  }

  private Buffer result(Call call, int t, int steps) {
    long size = places.size(call.result());
    int place = places.place(call.result(), t + call.resultLag());
    long first = places.first(call.result()) + call.row();
    long words = (steps * (long) places.batch() - 1) * places.rows(call.result()) + call.rows();
    return slices.get(call)[2].of(places.buffer(call.result()), first, size, words).at(place);
  }

  private void multiply(Call call, int t, int steps) {
    Weights weights = call.weights();
    Slices[] own = slices.get(call);
    int ld = places.matrixRows(weights.matrix());
    long size = places.size(call.operand());
    int place = places.place(call.operand(), t + call.lag());
    Buffer w = part(own[0], weights, ld, matrices[weights.matrix()]);
    Buffer x =
        own[1]
            .of(places.buffer(call.operand()), places.first(call.operand()), size, steps * size)
            .at(place);
    int n = places.batch() * steps;
    int k = call.terms();
    float beta = call.accumulates() ? 1 : 0;
    Buffer y = result(call, t, steps);
    int ldy = places.rows(call.result());
    if (alone) {
      blas.multiplyColumns(call.transposed(), call.rows(), n, k, w, ld, x, k, beta, y, ldy);
    } else {
      blas.multiply(call.transposed(), false, call.rows(), n, k, 1, w, ld, x, k, beta, y, ldy);
    }
  }

  /** {@return a part of a matrix of ld rows} */
  private static Buffer part(Slices slices, Weights weights, int ld, Buffer matrix) {
    long first = (long) weights.column() * ld + weights.row();
    long words = (weights.columns() - 1L) * ld + weights.rows();
    return slices.of(matrix, first, words, words).at(0);
  }

  /** The gradient of a part of a matrix, a product over all columns and steps. */
  final class Sum {
    private final WeightGradient sum;
    private final Weights weights;
    private final @Nullable Buffer[] gradients;
    private final Slices[] own = three();

    Sum(WeightGradient sum, @Nullable Buffer[] gradients) {
      this.sum = sum;
      this.weights = places.weights(sum.weights());
      this.gradients = gradients;
    }

    void add() {
      Buffer gradient = gradients[weights.matrix()];
      int time = places.time();
      for (int t = 0; gradient != null && t < time; ) {
        int steps = run(sum.operand(), t + sum.lag(), run(sum.array(), t, time - t));
        add(gradient, t, steps);
        t += steps;
      }
    }

    private void add(Buffer gradient, int t, int steps) {
      int ld = places.matrixRows(weights.matrix());
      blas.multiply(
          false,
          true,
          weights.rows(),
          weights.columns(),
          places.batch() * steps,
          1,
          steps(own[1], sum.array(), t, steps),
          weights.rows(),
          steps(own[2], sum.operand(), t + sum.lag(), steps),
          weights.columns(),
          1,
          part(own[0], weights, ld, gradient),
          ld);
    }

    private Buffer steps(Slices slices, int array, int t, int steps) {
      long size = places.size(array);
      return slices
          .of(places.buffer(array), places.first(array), size, steps * size)
          .at(places.place(array, t));
    }
  }
}
