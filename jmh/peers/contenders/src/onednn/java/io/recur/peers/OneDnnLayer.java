package io.recur.peers;

import static org.bytedeco.dnnl.global.dnnl.*;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.memory.desc;
import org.bytedeco.dnnl.memory.format_tag;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/**
 * One recurrent layer in oneDNN: its primitives, and the memory that they read and write. Weights
 * lie as the primitive wants them, put there once.
 */
final class OneDnnLayer {
  private static final int[] VALUES = {
    DNNL_ARG_SRC_LAYER,
    DNNL_ARG_SRC_ITER,
    DNNL_ARG_SRC_ITER_C,
    DNNL_ARG_WEIGHTS_LAYER,
    DNNL_ARG_WEIGHTS_ITER,
    DNNL_ARG_BIAS,
    DNNL_ARG_DST_LAYER,
    DNNL_ARG_DST_ITER,
    DNNL_ARG_DST_ITER_C,
    DNNL_ARG_WORKSPACE
  };

  private static final int[] WEIGHTS = {DNNL_ARG_WEIGHTS_LAYER, DNNL_ARG_WEIGHTS_ITER};

  /** To which a backward pass adds. */
  private static final int[] GRADIENTS = {
    DNNL_ARG_DIFF_WEIGHTS_LAYER, DNNL_ARG_DIFF_WEIGHTS_ITER, DNNL_ARG_DIFF_BIAS
  };

  /** What a backward pass reads or overwrites; the gradient of y comes from above. */
  private static final int[] OTHER_GRADIENTS = {
    DNNL_ARG_DIFF_SRC_LAYER,
    DNNL_ARG_DIFF_SRC_ITER,
    DNNL_ARG_DIFF_SRC_ITER_C,
    DNNL_ARG_DIFF_DST_ITER,
    DNNL_ARG_DIFF_DST_ITER_C
  };

  /** oneDNN's GRU has its update gate first. */
  private static final int[] UPDATE_FIRST = {1, 0, 2};

  private final engine engine;
  private final stream stream;
  private final boolean isGru;
  private final int in;
  private final int hidden;
  private final int gates;
  private final int batch;
  private final int time;
  private final OneDnnPasses passes;
  private final Map<Integer, memory> memories = new HashMap<>();
  private final Map<Integer, memory> backwardMemories = new HashMap<>();

  private IntMemoryMap arguments;
  private IntMemoryMap swapped; // with the states of before and after in each other's place
  private IntMemoryMap backwardArguments;

  /**
   * A layer of a work. Training has states too, as zeros: without them the gradients of Wh that
   * LSTM and RNN compute are wrong in this version.
   *
   * @param layer its number
   * @param trains whether a backward pass follows; its forward pass then keeps a workspace
   * @param x the output of the layer below; null for one of its own
   */
  OneDnnLayer(engine engine, stream stream, Work work, int layer, boolean trains, memory x) {
    this.engine = engine;
    this.stream = stream;
    this.isGru = work.cell().equals("GRU");
    this.in = work.in(layer);
    this.hidden = work.hidden();
    this.gates = work.gates();
    this.batch = work.batch();
    boolean carries = work.kind().equals(Work.STEP);
    this.time = carries ? 1 : work.time();
    this.passes = new OneDnnPasses(engine, work, layer, time, trains, carries || trains);
    if (x != null) {
      memories.put(DNNL_ARG_SRC_LAYER, x);
    }
    allocate(passes.forward(), memories, VALUES);
    fill(DNNL_ARG_WEIGHTS_LAYER, in, work.array("Wi" + layer));
    fill(DNNL_ARG_WEIGHTS_ITER, hidden, work.array("Wh" + layer));
    put(DNNL_ARG_BIAS, bias(work, layer));
    arguments = map(memories);
    if (carries) {
      swapped = map(memories);
      swap(DNNL_ARG_SRC_ITER, DNNL_ARG_DST_ITER);
      swap(DNNL_ARG_SRC_ITER_C, DNNL_ARG_DST_ITER_C);
    }
    if (trains) {
      allocate(passes.backward(), backwardMemories, WEIGHTS);
      for (int weights : WEIGHTS) {
        copy(memories.get(weights), backwardMemories.get(weights));
      }
      memories.forEach(backwardMemories::putIfAbsent);
      allocate(passes.backward(), backwardMemories, GRADIENTS);
      allocate(passes.backward(), backwardMemories, OTHER_GRADIENTS);
    }
  }

  // Memory.

  private memory allocated(desc of) {
    memory made = new memory(of, engine);
    Pointer.memset(made.get_data_handle(), 0, of.get_size());
    return made;
  }

  /** Zeros for those arguments that the pass takes and that are not there yet. */
  private void allocate(OneDnnPasses.Pass pass, Map<Integer, memory> to, int... arguments) {
    for (int argument : arguments) {
      desc layout = pass.layout(argument);
      if (layout.get_size() > 0) {
        to.computeIfAbsent(argument, absent -> allocated(layout));
      }
    }
  }

  private static IntMemoryMap map(Map<Integer, memory> memories) {
    IntMemoryMap map = new IntMemoryMap();
    memories.forEach(map::put);
    return map;
  }

  private void swap(int before, int after) {
    if (memories.containsKey(before)) {
      swapped.put(before, memories.get(after));
      swapped.put(after, memories.get(before));
    }
  }

  private void copy(memory from, memory to) {
    new reorder(from, to).execute(stream, from, to);
    stream._wait();
  }

  /** A matrix in Recur's layout, apart from the order of its gates. */
  private memory matrix(int features) {
    return allocated(OneDnnPasses.float32(format_tag.ldigo, 1, 1, features, gates, hidden));
  }

  private void fill(int argument, int features, float[] values) {
    memory plain = matrix(features);
    new FloatPointer(plain.get_data_handle()).put(reordered(values));
    copy(plain, memories.get(argument));
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

  /** Our columns with their gates, or theirs with ours: the order is its own inverse. */
  private float[] reordered(float[] values) {
    return isGru ? Work.columns(values, gates * hidden, UPDATE_FIRST) : values;
  }

  private float[] bias(Work work, int layer) {
    float[] b = reordered(work.array("b" + layer));
    if (!isGru) {
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
      given = allocated(passes.backward().layout(DNNL_ARG_DIFF_DST_LAYER));
      float[] ones = new float[time * batch * hidden];
      Arrays.fill(ones, 1);
      new FloatPointer(given.get_data_handle()).put(ones);
    }
    backwardMemories.put(DNNL_ARG_DIFF_DST_LAYER, given);
    backwardArguments = map(backwardMemories);
  }

  void forward() {
    passes.forward().primitive().execute(stream, arguments);
  }

  /** A step after which the states have changed places. */
  void step() {
    forward();
    IntMemoryMap next = swapped;
    swapped = arguments;
    arguments = next;
  }

  /** Gradients of weights are added to what is there, so they are zeroed before. */
  void backward() {
    for (int gradient : GRADIENTS) {
      memory zeroed = backwardMemories.get(gradient);
      Pointer.memset(zeroed.get_data_handle(), 0, zeroed.get_desc().get_size());
    }
    passes.backward().primitive().execute(stream, backwardArguments);
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
    memory bias = backwardMemories.get(DNNL_ARG_DIFF_BIAS);
    float[] all = values(bias, (isGru ? 4 : gates) * hidden);
    answer.put("db" + layer, reordered(Arrays.copyOf(all, gates * hidden)));
    if (isGru) {
      answer.put("dbh" + layer, Arrays.copyOfRange(all, 3 * hidden, 4 * hidden));
    }
  }

  private float[] gradient(int argument, int features) {
    memory plain = matrix(features);
    copy(backwardMemories.get(argument), plain);
    return reordered(values(plain, gates * hidden * features));
  }
}
