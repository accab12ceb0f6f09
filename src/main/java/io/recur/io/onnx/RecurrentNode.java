package io.recur.io.onnx;

import io.recur.grad.Concat;
import io.recur.grad.Padded;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import io.recur.io.layers.EquationCell;
import io.recur.io.layers.RecurrentKind;
import io.recur.nn.Layer;
import io.recur.nn.Layers;
import io.recur.nn.Recur;
import io.recur.nn.State;
import io.recur.nn.Step;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Runs an RNN, LSTM or GRU: Y, Y_h and Y_c of X, for one direction or two.
 *
 * <p>Constant weights become a {@link Recur} of the model for each direction. Where the initial
 * state is constant, or zero because none is given, the Recur carries its state from call to call,
 * and a direction that runs back begins each call anew, as in {@link io.recur.nn.Bidirectional}.
 * Where the graph computes the initial state, each call begins from it. Weights that the graph
 * computes are read in each call, step by step.
 */
final class RecurrentNode implements Operator.Evaluation {
  private static final int FIRST_STATE = 5;

  private final RecurrentKind kind;
  private final boolean isBatchFirst;
  private final boolean isRepeated;
  private final boolean hasLengths;
  private final List<Direction> directions = new ArrayList<>();

  /**
   * A direction.
   *
   * @param number 0 or 1
   * @param runsBack from the last step to the first
   * @param rule what it computes
   * @param recur its Recur in the model; −1 where the weights are not constant
   * @param carries whether that keeps its state from call to call
   */
  private record Direction(
      int number, boolean runsBack, EquationCell.Rule rule, int recur, boolean carries) {}

  /** What one direction gives. */
  private record Result(Tensor y, @Nullable State end) {}

  RecurrentNode(Setup setup, RecurrentKind kind) {
    Node node = setup.node();
    this.kind = kind;
    this.isBatchFirst = node.flag("layout", false);
    this.isRepeated = setup.isRepeated();
    this.hasLengths = node.hasInput(4);
    List<Boolean> backs = RecurrentOperators.directions(node);
    int units = units(setup);
    boolean isConstant = true;
    for (int input : RecurrentWeights.inputs(kind)) {
      Value known = setup.constant(input);
      isConstant &= known != null || !node.hasInput(input);
      if (known != null && (units > 0 || input == 2)) {
        RecurrentWeights.check(node, kind, input, known.dims(), backs.size(), units);
      }
    }
    List<EquationCell.Rule> rules = RecurrentOperators.rules(node, kind, units);
    for (int d = 0; d < backs.size(); d++) {
      EquationCell.Rule rule = rules.get(d);
      if (!isConstant) {
        directions.add(new Direction(d, backs.get(d), rule, -1, false));
        continue;
      }
      List<Parameter> state0 = state0(setup, d, backs.size(), units);
      List<Parameter> initial = state0 == null ? zeros(kind, units) : state0;
      Recur recur = new Recur(new RecurrentWeights(setup, d, rule).cell(initial));
      directions.add(new Direction(d, backs.get(d), rule, setup.recur(recur), state0 != null));
    }
  }

  /** The size of the state; 0 where it is known in a call alone. */
  private int units(Setup setup) {
    Node node = setup.node();
    long named = node.whole("hidden_size", 0);
    Value r = setup.constant(2);
    int found = r != null && r.dims().rank() == 3 ? r.dims().size(2) : 0;
    if (named < 0 || named > Integer.MAX_VALUE / 8 || (found > 0 && named > 0 && named != found)) {
      throw node.refuse(
          "hidden_size=%d, R=%s; need that of R's last dimension"
              .formatted(named, r == null ? "not constant" : r.dims()));
    }
    return found > 0 ? found : (int) named;
  }

  static List<Parameter> zeros(RecurrentKind kind, int units) {
    List<Parameter> zeros = new ArrayList<>();
    for (int i = 0; i < kind.states(); i++) {
      zeros.add(Parameter.fixed(Shape.of(units, 1), (values, random) -> {}).named("state0"));
    }
    return zeros;
  }

  /** The initial state where it is constant and alike for all sequences; null where it is not. */
  private @Nullable List<Parameter> state0(Setup setup, int direction, int directions, int units) {
    List<Parameter> parts = zeros(kind, units);
    for (int i = 0; i < kind.states(); i++) {
      int input = FIRST_STATE + i;
      if (!setup.node().hasInput(input)) {
        continue;
      }
      Float everywhere = setup.uniform(input);
      if (!(setup.constant(input) instanceof Value.Reals found)) {
        if (everywhere == null) {
          return null;
        }
        float number = everywhere;
        parts.set(
            i,
            Parameter.fixed(Shape.of(units, 1), (values, random) -> Arrays.fill(values, number))
                .named("state0"));
        continue;
      }
      float[] column = column(setup.node(), found, direction, directions, units);
      if (column == null) {
        return null;
      }
      parts.set(i, setup.weight(input, Shape.of(units, 1), column));
    }
    for (int i = 0; i < kind.states(); i++) {
      setup.claim(FIRST_STATE + i);
    }
    return parts;
  }

  /** The state of one direction that all sequences begin from; null where they differ. */
  private float @Nullable [] column(
      Node node, Value.Reals found, int direction, int directions, int units) {
    Dims dims = found.dims();
    int batchAxis = isBatchFirst ? 0 : 1;
    if (dims.rank() != 3
        || dims.count() == 0
        || dims.size(1 - batchAxis) != directions
        || dims.size(2) != units) {
      throw node.refuse(
          "initial state %s; need %d direction(s), the batch and %d"
              .formatted(dims, directions, units));
    }
    int batch = dims.size(batchAxis);
    float[] column = new float[units];
    for (int b = 0; b < batch; b++) {
      int at = (isBatchFirst ? b * directions + direction : direction * batch + b) * units;
      for (int i = 0; i < units; i++) {
        if (b > 0 && column[i] != found.values()[at + i]) {
          return null;
        }
        column[i] = found.values()[at + i];
      }
    }
    return column;
  }

  boolean isBatchFirst() {
    return isBatchFirst;
  }

  /** {@return 1 or 2} */
  int directions() {
    return directions.size();
  }

  /** The layer that computes Y; null where the graph computes weights, states or lengths. */
  @Nullable Layer layer(List<Recur> recurs) {
    boolean isOwn = directions.stream().allMatch(Direction::carries) && !hasLengths;
    if (!isOwn || (directions.size() == 1 && directions.getFirst().runsBack)) {
      return null;
    }
    Recur forward = recurs.get(directions.getFirst().recur);
    return directions.size() == 1
        ? forward
        : Layers.bidirectional(forward, recurs.get(directions.getLast().recur));
  }

  // A call.

  @Override
  public List<Value> run(Call call) {
    Value.OnTape x = onTape(call, 0);
    if (x.dims().rank() != 3) {
      throw call.refuse("X=%s; need 3 dimensions".formatted(x.dims()));
    }
    Tensor steps = isBatchFirst ? Order.arranged(x, 1, 0, 2) : x.tensor();
    int batch = steps.shape().batch();
    int time = steps.shape().time();
    int[] lengths = RecurrentOperators.lengths(call, batch, time);
    List<Result> results = new ArrayList<>();
    for (Direction direction : directions) {
      results.add(run(call, direction, steps, lengths));
    }
    return outputs(call, results, batch, time);
  }

  /** An input on the tape, in the order in which it is there. */
  static Value.OnTape onTape(Call call, int i) {
    return call.value(i) instanceof Value.OnTape on && on.held().tape() != null
        ? on
        : new Value.OnTape(call.dims(i), call.onTape(i));
  }

  private Result run(Call call, Direction direction, Tensor x, int @Nullable [] lengths) {
    boolean isOne = x.shape().time() == 1 && lengths == null;
    if (lengths != null) {
      Padded sequences = Padded.of(x, lengths);
      Run run = of(call, direction, direction.runsBack ? sequences.reversed() : sequences);
      return new Result((direction.runsBack ? run.padded.reversed() : run.padded).data(), run.end);
    }
    boolean turns = direction.runsBack && !isOne;
    Result result = of(call, direction, turns ? x.reversed() : x);
    return turns ? new Result(result.y.reversed(), result.end) : result;
  }

  /** What a run over sequences of different lengths gives. */
  private record Run(Padded padded, State end) {}

  private Run of(Call call, Direction direction, Padded x) {
    if (!direction.carries) {
      State start = start(call, direction, x.shape().batch());
      Recur recur =
          direction.recur >= 0
              ? call.recur(direction.recur)
              : new Recur(computed(call, direction).on(call.tape().device())).stepwise();
      recur.state(start);
      Run run = new Run(recur.apply(x), recur.state().on(call.tape()));
      recur.reset();
      return run;
    }
    Recur recur = begun(call, direction);
    return new Run(recur.apply(x), recur.state().on(call.tape()));
  }

  private Result of(Call call, Direction direction, Tensor x) {
    if (direction.carries) {
      Recur recur = begun(call, direction);
      Tensor y = recur.apply(x);
      boolean asksForC = call.node().hasOutput(2);
      return new Result(y, asksForC ? recur.state().on(call.tape()) : null);
    }
    State start = start(call, direction, x.shape().batch());
    Step step =
        direction.recur >= 0
            ? call.recur(direction.recur).from(start, x)
            : computed(call, direction).run(start, x);
    return new Result(step.y().reshape(x.shape().withRows(step.y().shape().rows())), step.state());
  }

  private Recur begun(Call call, Direction direction) {
    Recur recur = call.recur(direction.recur);
    if (direction.runsBack || isRepeated) {
      recur.reset();
    }
    return recur;
  }

  /** The state that the graph gives, or zeros. */
  private State start(Call call, Direction direction, int batch) {
    List<Tensor> parts = new ArrayList<>();
    for (int i = 0; i < kind.states(); i++) {
      int input = FIRST_STATE + i;
      parts.add(
          call.has(input)
              ? given(call, input, direction, batch)
              : call.tape()
                  .input(
                      Shape.of(units(call, direction), batch),
                      new float[units(call, direction) * batch]));
    }
    return new State(parts);
  }

  private Tensor given(Call call, int input, Direction direction, int batch) {
    int units = units(call, direction);
    int count = directions.size();
    Dims wanted = isBatchFirst ? Dims.of(batch, count, units) : Dims.of(count, batch, units);
    if (!call.dims(input).equals(wanted)) {
      throw call.refuse("initial state %s; need %s".formatted(call.dims(input), wanted));
    }
    Tensor all = call.onTape(input);
    if (count == 1) {
      return all.reshape(Shape.of(units, batch));
    }
    int d = direction.number;
    return isBatchFirst
        ? all.reshape(Shape.of(count * units, batch)).rows(d * units, (d + 1) * units)
        : all.time(d);
  }

  /** The cell of weights that the graph computes. */
  private EquationCell computed(Call call, Direction direction) {
    return new ComputedWeights(call, kind, directions.size(), direction.number)
        .cell(direction.rule, units(call, direction));
  }

  private static int units(Call call, Direction direction) {
    return direction.rule.units() > 0 ? direction.rule.units() : call.dims(2).size(2);
  }

  // The outputs.

  private List<Value> outputs(Call call, List<Result> results, int batch, int time) {
    List<Value> outputs = new ArrayList<>();
    outputs.add(y(results, batch, time));
    for (int i = 0; i < kind.states(); i++) {
      if (call.node().hasOutput(1 + i)) {
        outputs.add(last(results, i, batch, time));
      } else if (call.node().outputs().size() > 1 + i) {
        outputs.add(outputs.getFirst()); // nobody reads it
      }
    }
    return outputs;
  }

  /** Y: [time, directions, batch, units], or [batch, time, directions, units]. */
  private Value y(List<Result> results, int batch, int time) {
    Tensor first = results.getFirst().y;
    Tensor all = results.size() == 1 ? first : Concat.columns(first, results.getLast().y);
    int units = first.shape().rows();
    return isBatchFirst
        ? new Value.OnTape(Dims.of(batch, time, results.size(), units), new int[] {1, 2, 0, 3}, all)
        : new Value.OnTape(Dims.of(time, results.size(), batch, units), all);
  }

  /** Y_h or Y_c: [directions, batch, units], or [batch, directions, units]. */
  private Value last(List<Result> results, int part, int batch, int time) {
    List<Tensor> parts = new ArrayList<>();
    for (int d = 0; d < results.size(); d++) {
      Result result = results.get(d);
      boolean isBack = directions.get(d).runsBack;
      Tensor end =
          result.end != null
              ? result.end.parts().get(part)
              : result.y.time(isBack ? 0 : time - 1); // h is the last output
      parts.add(end);
    }
    int units = parts.getFirst().shape().rows();
    Tensor all = parts.size() == 1 ? parts.getFirst() : Concat.time(parts);
    Dims dims = Dims.of(results.size(), batch, units);
    return isBatchFirst
        ? new Value.OnTape(dims.permute(1, 0, 2), new int[] {1, 0, 2}, all)
        : new Value.OnTape(dims, all);
  }
}
