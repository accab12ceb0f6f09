package io.recur.peers;

import static io.recur.grad.CrossEntropy.crossEntropy;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.Elementwise;
import io.recur.device.Precision;
import io.recur.device.kernels.KernelDevice;
import io.recur.grad.Padded;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Cell;
import io.recur.nn.Chain;
import io.recur.nn.Dense;
import io.recur.nn.Layer;
import io.recur.nn.Layers;
import io.recur.nn.Matrix;
import io.recur.nn.Recur;
import io.recur.train.Adam;
import io.recur.train.Clip;
import io.recur.train.Optimiser;
import io.recur.train.Streams;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Recur, as a program of a user's would call it: on the processor with 2 threads, or on the device
 * that an argument names.
 */
final class RecurContender implements Contender {
  private static final String CPU = "cpu";

  /** Training steps whose losses are the character model's answer. */
  private static final int CHECKED = 8;

  /** Steps of the character model before its host time is measured, and while it is. */
  private static final int SHARE_STEPS = 200;

  private final String name;
  private String precision = Work.FLOAT32;
  private Device device;
  private Tape recording;
  private Tape inference;
  private Work work;
  private Chain model;
  private final Map<String, Parameter> arrays = new LinkedHashMap<>();
  private Shape size;
  private float[] x;
  private float[] one; // the first step of x
  private Buffer there; // x, repeated
  private Shape all;
  private Buffer last; // a word that is read when all is done
  private final float[] word = new float[1];

  private Streams streams;
  private Optimiser adam;
  private int chunk;

  private Buffer left;
  private Buffer right;
  private Buffer product;

  private RecurContender(String name) {
    this.name = name;
    open();
  }

  public static void main(String[] args) throws Exception {
    Contender.serve(new RecurContender(args.length == 0 ? CPU : args[0]));
  }

  private void open() {
    device =
        name.equals(CPU)
            ? Device.cpu(2)
            : Device.of(name, Precision.valueOf(precision.toUpperCase(Locale.ROOT)));
    recording = Tape.on(device);
    inference = Tape.inference(device);
    last = device.allocate(1);
  }

  private void close() {
    recording.close();
    inference.close();
    device.close();
  }

  @Override
  public String version() {
    return device.name();
  }

  @Override
  public void prepare(Work work) {
    this.work = work;
    model = null;
    arrays.clear();
    left = null;
    there = null;
    precision = work.precision();
    close(); // its memory too
    open();
    if (work.kind().equals(Work.PRODUCT)) {
      left = matrix(work.array("A"));
      right = matrix(work.array("B"));
      product = device.allocate((long) work.in() * work.in());
      return;
    }
    List<Layer> layers = new ArrayList<>();
    for (int l = 0; l < work.layers(); l++) {
      Recur recur = new Recur(cell(l, ""));
      boolean isBoth = work.kind().equals(Work.DIRECTIONS);
      layers.add(isBoth ? Layers.bidirectional(recur, new Recur(cell(l, "r"))) : recur);
    }
    if (work.kind().equals(Work.CHARACTERS)) {
      layers.add(
          new Dense(
              Elementwise.IDENTITY,
              Matrix.dense(parameter("Whead", Shape.of(work.in(), work.hidden()))),
              parameter("bhead", Shape.of(work.in()))));
      float[] text = work.array("text");
      int[] classes = new int[text.length];
      for (int i = 0; i < text.length; i++) {
        classes[i] = (int) text[i];
      }
      streams = new Streams(classes, work.in(), work.batch(), work.time());
      adam = new Adam(0.002f);
      chunk = 0;
    } else {
      x = work.array("x");
      one = work.first();
      size = Shape.of(work.in(), work.batch(), work.time());
      all = Shape.of(work.in(), work.batch(), work.time() * work.repeats());
      there = device.allocate((long) x.length * work.repeats());
      for (int i = 0; i < work.repeats(); i++) {
        there.slice((long) i * x.length, x.length).write(x);
      }
    }
    model = new Chain(layers).on(device, 1);
  }

  private Buffer matrix(float[] values) {
    Buffer buffer = device.allocate(values.length);
    buffer.write(values);
    return buffer;
  }

  private Parameter parameter(String name, Shape shape) {
    Parameter parameter = Parameter.of(shape, work.array(name));
    arrays.put(name, parameter);
    return parameter;
  }

  private Cell cell(int l, String direction) {
    Map<String, Recurrence.Part> parts =
        Recurrence.of(work.cell()).parts().stream()
            .collect(Collectors.toMap(Recurrence.Part::name, Function.identity()));
    int units = work.hidden();
    return Cells.of(
        work.cell(),
        units,
        name -> {
          Recurrence.Part part = parts.get(name);
          int columns = part.columns(work.in(l), units);
          Shape vector = Shape.of(part.rows(units));
          return parameter(
              name + l + direction,
              part.operand() == Recurrence.Operand.NONE
                  ? vector
                  : Shape.of(vector.rows(), columns));
        });
  }

  @Override
  public Map<String, float[]> answer(String pass) throws Exception {
    Map<String, float[]> answer = new LinkedHashMap<>();
    if (pass.equals("memory")) {
      return Map.of("memory", new float[] {memory()});
    }
    if (pass.equals("share")) {
      return Map.of("share", new float[] {(float) share()});
    }
    switch (work.kind()) {
      case Work.PRODUCT:
        multiply();
        answer.put("y", product.read());
        break;
      case Work.CHARACTERS:
        float[] losses = new float[CHECKED];
        for (int i = 0; i < CHECKED; i++) {
          losses[i] = learn(i == 0 ? answer : null);
        }
        answer.put("losses", losses);
        break;
      default:
        if (pass.equals("step")) {
          model.reset();
          answer.put("y", Contender.steps(work, this::step));
        } else {
          sequence(pass, answer);
        }
    }
    answer.replaceAll((array, values) -> work.thinned(values));
    return answer;
  }

  private void sequence(String pass, Map<String, float[]> answer) {
    Tape tape = pass.equals("train") ? recording : inference;
    model.reset();
    Tensor input = compared(tape);
    Tensor y = run(input);
    answer.put("y", y.toArray());
    if (pass.equals("train")) {
      tape.backward(y.sum());
      putGradients(answer);
      if (input.isDifferentiable()) {
        answer.put("dx", input.gradientArray());
      }
      model.parameters().zeroGradients();
    }
    model.reset();
    tape.clear();
    if (work.repeats() > 1 && tape == inference) {
      answer.put("last", model.apply(whole(tape)).time(all.time() - 1).toArray());
      tape.clear();
    }
  }

  private Tensor run(Tensor x) {
    return work.kind().equals(Work.LENGTHS)
        ? model.apply(Padded.of(x, work.lengths())).data()
        : model.apply(x);
  }

  /** What is compared: of a scan alone, in training, an input with a gradient. */
  private Tensor compared(Tape tape) {
    boolean isScan = Recurrence.SCANS.contains(work.cell()) && tape == recording;
    return isScan ? tape.variable(size, x) : tape.input(size, x);
  }

  /** What is timed: as of every contender, an input that is there already. */
  private Tensor whole(Tape tape) {
    boolean hasGradient = Recurrence.SCANS.contains(work.cell()) && tape == recording;
    return hasGradient ? compared(tape) : tape.wrap(all, there);
  }

  private void putGradients(Map<String, float[]> answer) {
    arrays.forEach((name, parameter) -> answer.put("d" + name, parameter.gradientArray()));
  }

  @Override
  public void once(String pass) {
    switch (work.kind()) {
      case Work.PRODUCT:
        multiply();
        break;
      case Work.CHARACTERS:
        learn(null);
        break;
      default:
        if (pass.equals("step")) {
          step(one);
        } else if (pass.equals("train")) {
          train();
        } else {
          forward();
        }
    }
  }

  private void forward() {
    model.reset();
    run(whole(inference));
    inference.clear();
  }

  private void train() {
    model.reset();
    Tensor loss = run(whole(recording)).sum();
    recording.backward(loss);
    loss.scalar();
    model.reset();
    recording.clear();
    model.parameters().zeroGradients();
  }

  private float[] step(float[] now) {
    Tensor input =
        work.batch() == 1
            ? inference.input(now)
            : inference.input(Shape.of(work.in(), work.batch()), now);
    float[] y = model.apply(input).toArray();
    inference.clear();
    return y;
  }

  /** A training step of the character model; its gradients before clipping go to the answer. */
  private float learn(Map<String, float[]> answer) {
    if (chunk == Work.CHUNKS) {
      chunk = 0;
      model.reset();
    }
    Tensor loss =
        crossEntropy(
            model.apply(streams.input(recording, chunk)), streams.target(recording, chunk));
    chunk++;
    recording.backward(loss);
    if (answer != null) {
      putGradients(answer);
    }
    Clip.norm(model.parameters(), 5f);
    adam.step(model.parameters());
    float value = loss.scalar();
    model.truncate();
    recording.clear();
    return value;
  }

  /** Bytes of the tape that trains, once its passes need no more. */
  private long memory() {
    train();
    train();
    return recording.bytes();
  }

  /** The share of a training step in which the host does something else than wait for a GPU. */
  private double share() {
    for (int i = 0; i < SHARE_STEPS; i++) {
      learn(null);
    }
    long waited = KernelDevice.of(device).waitedNanos();
    long began = System.nanoTime();
    for (int i = 0; i < SHARE_STEPS; i++) {
      learn(null);
    }
    double all = System.nanoTime() - began;
    return 1 - (KernelDevice.of(device).waitedNanos() - waited) / all;
  }

  /** A pass only records what a GPU is to do; reading a word waits for all of it. */
  @Override
  public void finish() {
    if (!name.equals(CPU)) {
      last.read(word);
    }
  }

  private void multiply() {
    int n = work.in();
    KernelDevice.of(device)
        .blas()
        .multiply(false, false, n, n, n, 1, left, n, right, n, 0, product, n);
  }
}
