package io.recur.peers;

import static org.bytedeco.dnnl.global.dnnl.*;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.lbr_gru_backward;
import org.bytedeco.dnnl.lbr_gru_forward;
import org.bytedeco.dnnl.lstm_backward;
import org.bytedeco.dnnl.lstm_forward;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.memory.desc;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.dnnl.stream;
import org.bytedeco.dnnl.vanilla_rnn_backward;
import org.bytedeco.dnnl.vanilla_rnn_forward;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/**
 * One recurrent layer in oneDNN: a forward primitive, a backward one for training, and the memory
 * that they read and write. Weights lie as the primitive wants them, put there once.
 */
final class OneDnnLayer {
  private static final int FORWARD_ONLY = dnnl_forward_inference;
  private static final int TO_LAST = dnnl_unidirectional_left2right;
  private static final int TANH = dnnl_eltwise_tanh;

  /** Of h and c, before and after; only an LSTM has the second ones. */
  private static final int[] STATES = {
    DNNL_ARG_SRC_ITER, DNNL_ARG_DST_ITER, DNNL_ARG_SRC_ITER_C, DNNL_ARG_DST_ITER_C
  };

  /** From an argument to that of its gradient. */
  private static final int DIFFERENTIAL = DNNL_ARG_DIFF_SRC_ITER - DNNL_ARG_SRC_ITER;

  /** oneDNN's GRU has its update gate first. */
  private static final int[] TO_THEIRS = {1, 0, 2};

  /** Descriptors and primitives that native code refers to. */
  private final List<Object> alive = new ArrayList<>();

  private final engine engine;
  private final stream stream;
  private final String cell;
  private final int in;
  private final int hidden;
  private final int gates;
  private final int batch;
  private final int time;
  private final boolean carries;
  private final boolean trains;
  private final Map<Integer, memory> memories = new HashMap<>();
  private final Map<Integer, memory> backwardMemories = new HashMap<>();

  private primitive forward;
  private primitive backward;
  private IntMemoryMap arguments;
  private IntMemoryMap swapped; // with the states of before and after in each other's place
  private IntMemoryMap backwardArguments;

  /**
   * A layer of a work.
   *
   * @param layer its number
   * @param trains whether a backward pass follows; its forward pass then keeps a workspace
   * @param x the output of the layer below; null for one of its own
   */
  OneDnnLayer(engine engine, stream stream, Work work, int layer, boolean trains, memory x) {
    this.engine = engine;
    this.stream = stream;
    this.cell = work.cell();
    this.in = work.in(layer);
    this.hidden = work.hidden();
    this.gates = work.gates();
    this.batch = work.batch();
    this.carries = work.kind().equals(Work.STEP);
    this.time = carries ? 1 : work.time();
    this.trains = trains;
    if (x != null) {
      memories.put(DNNL_ARG_SRC_LAYER, x);
    }
    describe();
    fill(DNNL_ARG_WEIGHTS_LAYER, matrix(in), columns(work.array("Wi" + layer), gates, TO_THEIRS));
    fill(
        DNNL_ARG_WEIGHTS_ITER, matrix(hidden), columns(work.array("Wh" + layer), gates, TO_THEIRS));
    put(DNNL_ARG_BIAS, bias(work, layer));
    if (trains) {
      for (int weights : new int[] {DNNL_ARG_WEIGHTS_LAYER, DNNL_ARG_WEIGHTS_ITER}) {
        copy(memories.get(weights), backwardMemories.get(weights));
      }
    }
    arguments = map(memories);
    if (carries) {
      swapped = map(memories);
      swap(DNNL_ARG_SRC_ITER, DNNL_ARG_DST_ITER);
      swap(DNNL_ARG_SRC_ITER_C, DNNL_ARG_DST_ITER_C);
    }
  }

  // Shapes.

  private desc described(memory.format_tag tag, long... dims) {
    desc made = new desc(dims, memory.data_type.f32, tag);
    alive.add(made);
    return made;
  }

  private desc sequence(int features) {
    return described(memory.format_tag.tnc, time, batch, features);
  }

  /**
   * The state before or after. Training has them too, as zeros: without them the gradients of Wh
   * that LSTM and RNN compute are wrong in this version.
   */
  private desc state() {
    return carries || trains ? described(memory.format_tag.ldnc, 1, 1, batch, hidden) : new desc();
  }

  private desc matrix(int features) {
    return described(memory.format_tag.ldigo, 1, 1, features, gates, hidden);
  }

  private desc anyMatrix(int features) {
    return described(memory.format_tag.any, 1, 1, features, gates, hidden);
  }

  private desc biases() {
    int rows = cell.equals("GRU") ? 4 : gates;
    return described(memory.format_tag.ldgo, 1, 1, rows, hidden);
  }

  private void describe() {
    desc x = sequence(in);
    desc wi = anyMatrix(in);
    desc wh = anyMatrix(hidden);
    desc b = biases();
    desc y = sequence(hidden);
    desc s = state();
    int kind = trains ? dnnl_forward_training : FORWARD_ONLY;
    switch (cell) {
      case "LSTM" -> {
        var d = new lstm_forward.primitive_desc(engine, kind, TO_LAST, x, s, s, wi, wh, b, y, s, s);
        alive.add(d);
        forward = new lstm_forward(d);
        take(d.weights_layer_desc(), d.weights_iter_desc(), d.workspace_desc());
        if (trains) {
          var back =
              new lstm_backward.primitive_desc(
                  engine,
                  dnnl_backward,
                  TO_LAST,
                  x,
                  s,
                  s,
                  wi,
                  wh,
                  b,
                  y,
                  s,
                  s,
                  x,
                  s,
                  s,
                  wi,
                  wh,
                  b,
                  y,
                  s,
                  s,
                  d);
          alive.add(back);
          backward = new lstm_backward(back);
          takeBackward(
              back.weights_layer_desc(),
              back.weights_iter_desc(),
              back.diff_weights_layer_desc(),
              back.diff_weights_iter_desc());
        }
      }
      case "GRU" -> {
        var d = new lbr_gru_forward.primitive_desc(engine, kind, TO_LAST, x, s, wi, wh, b, y, s);
        alive.add(d);
        forward = new lbr_gru_forward(d);
        take(d.weights_layer_desc(), d.weights_iter_desc(), d.workspace_desc());
        if (trains) {
          var back =
              new lbr_gru_backward.primitive_desc(
                  engine, dnnl_backward, TO_LAST, x, s, wi, wh, b, y, s, x, s, wi, wh, b, y, s, d);
          alive.add(back);
          backward = new lbr_gru_backward(back);
          takeBackward(
              back.weights_layer_desc(),
              back.weights_iter_desc(),
              back.diff_weights_layer_desc(),
              back.diff_weights_iter_desc());
        }
      }
      default -> {
        var d =
            new vanilla_rnn_forward.primitive_desc(
                engine, kind, TANH, TO_LAST, x, s, wi, wh, b, y, s);
        alive.add(d);
        forward = new vanilla_rnn_forward(d);
        take(d.weights_layer_desc(), d.weights_iter_desc(), d.workspace_desc());
        if (trains) {
          var back =
              new vanilla_rnn_backward.primitive_desc(
                  engine,
                  dnnl_backward,
                  TANH,
                  TO_LAST,
                  x,
                  s,
                  wi,
                  wh,
                  b,
                  y,
                  s,
                  x,
                  s,
                  wi,
                  wh,
                  b,
                  y,
                  s,
                  d);
          alive.add(back);
          backward = new vanilla_rnn_backward(back);
          takeBackward(
              back.weights_layer_desc(),
              back.weights_iter_desc(),
              back.diff_weights_layer_desc(),
              back.diff_weights_iter_desc());
        }
      }
    }
  }

  // Memory.

  private memory allocated(desc of) {
    memory made = new memory(of, engine);
    Pointer.memset(made.get_data_handle(), 0, of.get_size());
    return made;
  }

  private void take(desc wi, desc wh, desc workspace) {
    memories.computeIfAbsent(DNNL_ARG_SRC_LAYER, argument -> allocated(sequence(in)));
    memories.put(DNNL_ARG_WEIGHTS_LAYER, allocated(wi));
    memories.put(DNNL_ARG_WEIGHTS_ITER, allocated(wh));
    memories.put(DNNL_ARG_BIAS, allocated(biases()));
    memories.put(DNNL_ARG_DST_LAYER, allocated(sequence(hidden)));
    if (trains) {
      memories.put(DNNL_ARG_WORKSPACE, allocated(workspace));
    }
    if (carries || trains) {
      for (int part : STATES) {
        memories.put(part, allocated(state()));
      }
    }
  }

  private void takeBackward(desc wi, desc wh, desc dwi, desc dwh) {
    backwardMemories.putAll(memories);
    backwardMemories.put(DNNL_ARG_WEIGHTS_LAYER, allocated(wi));
    backwardMemories.put(DNNL_ARG_WEIGHTS_ITER, allocated(wh));
    for (int part : STATES) {
      backwardMemories.put(part + DIFFERENTIAL, allocated(state()));
    }
    backwardMemories.put(DNNL_ARG_DIFF_SRC_LAYER, allocated(sequence(in)));
    backwardMemories.put(DNNL_ARG_DIFF_WEIGHTS_LAYER, allocated(dwi));
    backwardMemories.put(DNNL_ARG_DIFF_WEIGHTS_ITER, allocated(dwh));
    backwardMemories.put(DNNL_ARG_DIFF_BIAS, allocated(biases()));
  }

  private static IntMemoryMap map(Map<Integer, memory> memories) {
    IntMemoryMap map = new IntMemoryMap();
    memories.forEach(map::put);
    return map;
  }

  private void swap(int before, int after) {
    swapped.put(before, memories.get(after));
    swapped.put(after, memories.get(before));
  }

  private void copy(memory from, memory to) {
    new reorder(from, to).execute(stream, from, to);
    stream._wait();
  }

  private void fill(int argument, desc plain, float[] values) {
    memory from = allocated(plain);
    new FloatPointer(from.get_data_handle()).put(values);
    copy(from, memories.get(argument));
  }

  /** Writes values to an argument that lies as we lay it out. */
  void put(int argument, float[] values) {
    new FloatPointer(memories.get(argument).get_data_handle()).put(values);
  }

  private static float[] values(memory from, int count) {
    float[] values = new float[count];
    new FloatPointer(from.get_data_handle()).get(values);
    return values;
  }

  /** Our columns, each with its gates in their order, or theirs in ours. */
  private float[] columns(float[] values, int blocks, int[] order) {
    if (!cell.equals("GRU")) {
      return values;
    }
    float[] all = new float[values.length];
    int rows = blocks * hidden;
    for (int at = 0; at < values.length; at += rows) {
      float[] column = Arrays.copyOfRange(values, at, at + rows);
      System.arraycopy(Work.blocks(column, order), 0, all, at, rows);
    }
    return all;
  }

  private float[] bias(Work work, int layer) {
    float[] b = columns(work.array("b" + layer), gates, TO_THEIRS);
    if (!cell.equals("GRU")) {
      return b;
    }
    float[] all = Arrays.copyOf(b, 4 * hidden);
    System.arraycopy(work.array("bh" + layer), 0, all, 3 * hidden, hidden);
    return all;
  }

  // Passes.

  /** What the layer above reads. */
  memory y() {
    return memories.get(DNNL_ARG_DST_LAYER);
  }

  /** The gradient of x, once {@link #backward} ran. */
  memory dx() {
    return backwardMemories.get(DNNL_ARG_DIFF_SRC_LAYER);
  }

  /** The gradient of y: the sum's, all ones, or that of the layer above. */
  void gradient(memory dy) {
    memory given = dy;
    if (given == null) {
      given = allocated(sequence(hidden));
      float[] ones = new float[time * batch * hidden];
      Arrays.fill(ones, 1);
      new FloatPointer(given.get_data_handle()).put(ones);
    }
    backwardMemories.put(DNNL_ARG_DIFF_DST_LAYER, given);
    backwardArguments = map(backwardMemories);
  }

  void forward() {
    forward.execute(stream, arguments);
  }

  /** A step after which the states have changed places. */
  void step() {
    forward.execute(stream, arguments);
    IntMemoryMap next = swapped;
    swapped = arguments;
    arguments = next;
  }

  /** Gradients of weights are added to what is there, so they are zeroed before. */
  void backward() {
    for (int d :
        new int[] {DNNL_ARG_DIFF_WEIGHTS_LAYER, DNNL_ARG_DIFF_WEIGHTS_ITER, DNNL_ARG_DIFF_BIAS}) {
      memory zeroed = backwardMemories.get(d);
      Pointer.memset(zeroed.get_data_handle(), 0, zeroed.get_desc().get_size());
    }
    backward.execute(stream, backwardArguments);
  }

  float[] output() {
    stream._wait();
    return values(y(), time * batch * hidden);
  }

  /** Adds this layer's gradients to an answer. */
  void answer(int layer, Map<String, float[]> answer) {
    stream._wait();
    answer.put("dWi" + layer, gradient(DNNL_ARG_DIFF_WEIGHTS_LAYER, in));
    answer.put("dWh" + layer, gradient(DNNL_ARG_DIFF_WEIGHTS_ITER, hidden));
    int rows = cell.equals("GRU") ? 4 : gates;
    float[] all = values(backwardMemories.get(DNNL_ARG_DIFF_BIAS), rows * hidden);
    float[] b = Arrays.copyOf(all, gates * hidden);
    answer.put("db" + layer, columns(b, gates, TO_THEIRS));
    if (rows > gates) {
      answer.put("dbh" + layer, Arrays.copyOfRange(all, 3 * hidden, 4 * hidden));
    }
  }

  private float[] gradient(int argument, int features) {
    memory plain = allocated(matrix(features));
    copy(backwardMemories.get(argument), plain);
    return columns(values(plain, gates * hidden * features), gates, TO_THEIRS);
  }
}
