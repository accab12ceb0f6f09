package io.recur.nn;

import io.recur.device.Device;
import io.recur.device.Elementwise;
import io.recur.grad.CrossEntropyLoss;
import io.recur.grad.CtcLoss;
import io.recur.grad.LossReduction;
import io.recur.grad.Padded;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.cells.ProjectedLSTMCell;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A random network of 1 to 3 layers in one direction or two, with its inputs, lengths, initial
 * states and loss, as {@code make_packed.py} draws it from the same seed: each draw here has its
 * place there.
 */
final class PackedNetwork {
  private static final List<String> KINDS =
      List.of("rnn_tanh", "rnn_relu", "lstm", "gru", "projected");

  private static final List<String> LOSSES = List.of("product", "cross-entropy", "CTC");

  /**
   * A direction of a layer.
   *
   * @param name for messages
   * @param tensors the weights, then the initial states, by name
   * @param begin the initial states: variables with a column per sequence where they are given
   */
  record Direction(String name, Recur recur, Map<String, Tensor> tensors, List<Tensor> begin) {}

  private final long seed;
  private final Device device;
  private final Tape tape;
  private final SplittableRandom random;
  final String kind;
  private final int layers;
  private final int directions;
  private final int in;
  private final int hidden;
  private final int out;
  private final int batch;
  private final int time;
  private final int[] lengths;
  private final boolean hasTwoBiases;
  private final boolean isGiven;
  final String lossKind;
  final List<Direction> all = new ArrayList<>();
  final Tensor x;

  PackedNetwork(long seed, Device device, Tape tape) {
    this.seed = seed;
    this.device = device;
    this.tape = tape;
    random = new SplittableRandom(seed);
    kind = KINDS.get(number(5));
    layers = 1 + number(3);
    directions = 1 + number(2);
    in = 1 + number(7);
    int drawn = 1 + number(7);
    boolean isProjected = kind.equals("projected");
    hidden = isProjected ? Math.max(2, drawn) : drawn;
    out = isProjected ? 1 + number(hidden - 1) : hidden;
    batch = 1 + number(5);
    time = 1 + number(8);
    lengths = new int[batch];
    for (int b = 0; b < batch; b++) {
      lengths[b] = number(4) == 0 ? time : number(time + 1);
    }
    if (Arrays.stream(lengths).sum() == 0) {
      lengths[0] = time;
    }
    hasTwoBiases = 1 + number(2) == 2;
    isGiven = number(2) == 1 && (directions == 1 || time > 1);
    lossKind = directions * out > 1 ? LOSSES.get(number(3)) : LOSSES.getFirst();
    for (int i = 0; i < layers * directions; i++) {
      all.add(direction(i));
    }
    Shape shape = Shape.of(in, batch, time);
    float[] values = values(2, shape.count());
    for (int i = 0; i < values.length; i++) {
      if (!isValid(i / in)) {
        values[i] = Float.NaN;
      }
    }
    x = tape.variable(shape, values);
  }

  /** As the script has it, of SplitMix64. */
  private int number(int n) {
    return (int) ((random.nextLong() >>> 33) % n);
  }

  /** Multiples of 1/256, which float holds exactly. */
  private float[] values(float scale, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = scale * (number(257) - 128) / 256f;
    }
    return values;
  }

  private Parameter parameter(float scale, int... dimensions) {
    Shape shape = Shape.of(dimensions);
    return Parameter.of(shape, values(scale, shape.count()));
  }

  /** Whether a column of all steps is before the end of its sequence. */
  private boolean isValid(int column) {
    return column / batch < lengths[column % batch];
  }

  private Direction direction(int i) {
    int gates = kind.startsWith("rnn") ? 1 : kind.equals("gru") ? 3 : 4;
    float scale = kind.equals("rnn_relu") ? 1 : 2;
    Map<String, Parameter> weights = new LinkedHashMap<>();
    weights.put("Wi", parameter(scale, gates * hidden, i < directions ? in : directions * out));
    weights.put("Wh", parameter(scale, gates * hidden, out));
    weights.put("b", parameter(1, gates * hidden));
    if (hasTwoBiases) {
      weights.put("bh", parameter(1, gates * hidden));
    }
    if (kind.equals("projected")) {
      weights.put("Wr", parameter(2, out, hidden));
    }
    boolean isForward = i % directions == 0;
    Map<String, Tensor> tensors = new LinkedHashMap<>(weights);
    List<Parameter> state0 = new ArrayList<>();
    List<Tensor> begin = new ArrayList<>();
    for (int part = 0; part < (gates == 4 ? 2 : 1); part++) {
      int rows = part == 0 ? out : hidden;
      Shape shape = Shape.of(rows, isGiven && isForward ? batch : 1);
      float[] values = values(1, shape.count());
      state0.add(
          isGiven && isForward ? Parameter.zeros(Shape.of(rows, 1)) : Parameter.of(shape, values));
      begin.add(isGiven && isForward ? tape.variable(shape, values) : state0.getLast());
      tensors.put("hc".charAt(part) + "0", begin.getLast());
    }
    Recur recur = new Recur(cell(weights, state0));
    String name = "layer " + i / directions + (isForward ? "" : " backward");
    Recur placed = (isGiven && isForward ? recur.withoutState0() : recur).on(device, 0);
    return new Direction(name, placed, tensors, begin);
  }

  private Cell cell(Map<String, Parameter> weights, List<Parameter> state0) {
    Matrix wi = Matrix.dense(weights.get("Wi"));
    Matrix wh = Matrix.dense(weights.get("Wh"));
    Parameter b = weights.get("b");
    Parameter bh = weights.get("bh");
    Parameter h0 = state0.getFirst();
    return switch (kind) {
      case "lstm" -> new LSTMCell(wi, wh, b, bh, h0, state0.getLast());
      case "gru" -> new GRUCell(wi, wh, b, bh, h0);
      case "projected" ->
          new ProjectedLSTMCell(
              wi, wh, Matrix.dense(weights.get("Wr")), b, bh, h0, state0.getLast());
      case "rnn_relu" -> new RNNCell(Elementwise.RELU, wi, wh, b, bh, h0);
      default -> new RNNCell(Elementwise.TANH, wi, wh, b, bh, h0);
    };
  }

  /** Runs all layers from their initial states. */
  Padded outputs() {
    Padded y = Padded.of(x, lengths);
    for (int layer = 0; layer < layers; layer++) {
      Recur forward = all.get(layer * directions).recur();
      if (isGiven) {
        forward.state(new State(all.get(layer * directions).begin()));
      }
      y =
          directions == 1
              ? forward.apply(y)
              : Layers.bidirectional(forward, all.get(2 * layer + 1).recur()).apply(y);
    }
    return y;
  }

  /** The loss of the outputs, and products of the last states with random numbers. */
  Tensor loss(Padded y) {
    Tensor loss =
        switch (lossKind) {
          case "product" -> y.valid().mul(Padded.of(drawn(y.shape()), lengths).valid()).sum();
          case "CTC" -> ctc(y);
          default -> crossEntropy(y);
        };
    for (Direction direction : all) {
      for (Tensor last : direction.recur().state().parts()) {
        loss = loss.add(last.mul(drawn(last.shape())).sum());
      }
    }
    return loss;
  }

  private Tensor drawn(Shape shape) {
    return tape.input(shape, values(1, shape.count()));
  }

  /** One value; of losses of sequences, a product with random numbers. */
  private Tensor reduced(LossReduction reduction, Tensor losses) {
    return reduction == LossReduction.NONE ? losses.mul(drawn(losses.shape())).sum() : losses;
  }

  private Tensor crossEntropy(Padded y) {
    int classes = y.shape().rows();
    int ignored = number(2) == 0 ? CrossEntropyLoss.IGNORED : number(classes);
    int[] targets = new int[batch * time];
    boolean isNone = true;
    for (int j = 0; j < targets.length; j++) {
      targets[j] = number(4) == 0 ? ignored : number(classes);
      isNone &= targets[j] == ignored || !isValid(j);
    }
    if (isNone) {
      Arrays.fill(targets, ignored == 0 ? 1 : 0);
    }
    CrossEntropyLoss loss = new CrossEntropyLoss().ignoring(ignored).smoothing(number(3) / 8f);
    if (number(2) == 1) {
      float[] weights = new float[classes];
      for (int i = 0; i < classes; i++) {
        weights[i] = (1 + number(16)) / 8f;
      }
      loss = loss.weights(weights);
    }
    LossReduction reduction = LossReduction.values()[number(3)];
    return reduced(reduction, loss.reduction(reduction).of(y, targets));
  }

  private Tensor ctc(Padded y) {
    int classes = y.shape().rows();
    int blank = number(classes);
    int[][] targets = new int[batch][];
    for (int b = 0; b < batch; b++) {
      targets[b] = target(classes, blank, lengths[b]);
    }
    LossReduction reduction = LossReduction.values()[number(3)];
    return reduced(reduction, new CtcLoss().blank(blank).reduction(reduction).of(y, targets));
  }

  /** Empty, of any length that fits, or one that just fits: equal neighbours need a blank. */
  private int[] target(int classes, int blank, int length) {
    int mode = number(3);
    int some = number(length + 1);
    int room = mode == 0 ? 0 : mode == 1 ? some : length;
    int[] spelt = new int[room];
    int n = 0;
    while (room > 0) {
      int c = number(classes - 1);
      c += c >= blank ? 1 : 0;
      int before = n == 0 ? -1 : spelt[n - 1];
      if (room == 1 && c == before) {
        if (classes == 2) {
          break;
        }
        while (c == blank || c == before) {
          c = (c + 1) % classes;
        }
      }
      room -= c == before ? 2 : 1;
      spelt[n++] = c;
    }
    return Arrays.copyOf(spelt, n);
  }

  void close() {
    all.forEach(direction -> direction.recur().close());
  }

  @Override
  public String toString() {
    return "network %d, %s %d→%d→%d, %d layers, %d directions, %d biases, states %s, %s, lengths %s of %d"
        .formatted(
            seed,
            kind,
            in,
            hidden,
            out,
            layers,
            directions,
            hasTwoBiases ? 2 : 1,
            isGiven ? "given" : "learnt",
            lossKind,
            Arrays.toString(lengths),
            time);
  }
}
