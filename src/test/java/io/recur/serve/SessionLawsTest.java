package io.recur.serve;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.embedding;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.gruV3;
import static io.recur.nn.Layers.layerNorm;
import static io.recur.nn.Layers.lstm;
import static io.recur.nn.Layers.residual;
import static io.recur.nn.Layers.rnn;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Cell;
import io.recur.nn.Chain;
import io.recur.nn.Layer;
import io.recur.nn.Recur;
import io.recur.nn.Snapshot;
import io.recur.nn.State;
import io.recur.nn.Step;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Sessions against forks of the model, one for each: random calls for random sessions, of which
 * many wait at a time, so that each step shares its batch with others by chance. On the processor
 * the answers have the same bits; cuBLAS chooses the order of a sum by the batch.
 */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class SessionLawsTest {
  private static final int IN = 5;
  private static final int SESSIONS = 24;
  private static final int CALLS = Devices.rounds(900);
  private static final float PER_STEP = 1e-6f;

  private final Device device;

  SessionLawsTest(Device device) {
    this.device = device;
  }

  /** A cell of a user's with two parts: a mean that decays, and a count of its steps. */
  private record Decay(Parameter mean, Parameter count) implements Cell {
    Decay() {
      this(Parameter.of(Shape.of(IN, 1), 1, 2, 3, 4, 5), Parameter.of(Shape.of(1, 1), 7));
    }

    @Override
    public Step step(State state, Tensor x) {
      Tensor mean = state.h().add(x).scale(0.5f);
      Tensor count = state.c().add(1);
      return new Step(State.of(mean, count), mean.mul(count));
    }

    @Override
    public boolean columnsAreIndependent() {
      return true;
    }

    @Override
    public List<Parameter> state0() {
      return List.of(mean, count);
    }

    @Override
    public List<Parameter> parameters() {
      return state0();
    }
  }

  /** A model, and whether its input is one-hot. */
  private record Model(String name, Layer layer, boolean isOneHot) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Model> models() {
    return Stream.of(
        new Model("lstm", lstm(IN, 33), false),
        new Model("chain", chain(lstm(IN, 17), dense(17, 3)), false),
        new Model(
            "nested",
            chain(
                rnn(IN, 16),
                chain(residual(gru(16, 16)), layerNorm(16)),
                gruV3(16, 8),
                dense(8, 2)),
            false),
        new Model("user's cell", chain(new Recur(new Decay()), dense(IN, 2)), false),
        new Model("user's cell, step by step", new Recur(new Decay()).stepwise(), false),
        new Model("one-hot", chain(gru(IN, 16), dense(16, IN)), true),
        new Model("embedding", chain(embedding(IN, 4), lstm(4, 9)), true));
  }

  /** What a session should be: a fork of the model, stepped alone. */
  private final class Alone implements AutoCloseable {
    private final Layer layer;
    private final boolean isOneHot;

    Alone(Layer layer, boolean isOneHot) {
      this.layer = layer.fork();
      this.isOneHot = isOneHot;
    }

    /** One step where time is 0, else a sequence. */
    float[] step(Tape tape, int time, int... indexes) {
      int columns = Math.max(1, time);
      Shape shape = time == 0 ? Shape.of(IN, 1) : Shape.of(IN, 1, columns);
      Tensor x = isOneHot ? tape.oneHot(shape, indexes) : tape.input(shape, values(indexes));
      float[] y = layer.apply(x).toArray();
      tape.clear();
      return y;
    }

    @Override
    public void close() {
      layer.close();
    }
  }

  /** Values that the indexes of some steps stand for where the input is dense. */
  private static float[] values(int... indexes) {
    float[] values = new float[IN * indexes.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) Math.sin(1 + indexes[i / IN] * 1.7 + i % IN * 0.9);
    }
    return values;
  }

  private static float[][] sequence(int... indexes) {
    float[][] steps = new float[indexes.length][];
    for (int t = 0; t < steps.length; t++) {
      steps[t] = values(indexes[t]);
    }
    return steps;
  }

  private static Request request(boolean isOneHot, int time, int... indexes) {
    if (isOneHot) {
      return time == 0 ? Request.symbol(IN, indexes[0]) : Request.symbols(IN, indexes);
    }
    return time == 0 ? Request.of(values(indexes)) : Request.of(sequence(indexes));
  }

  private void same(String what, float[] expected, float[] actual, int steps) {
    if (Devices.isCpu()) {
      assertArrayEquals(bits(expected), bits(actual), what);
    } else {
      assertArrayEquals(expected, actual, PER_STEP * (1 + steps), what);
    }
  }

  private static int[] bits(float... values) {
    int[] bits = new int[values.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToRawIntBits(values[i]);
    }
    return bits;
  }

  /** One run of random calls. */
  private final class Run {
    private final Random random;
    private final Model model;
    private final Sessions sessions;
    private final Tape tape;
    private final Map<String, Alone> alone = new HashMap<>();
    private final Map<String, Integer> steps = new HashMap<>();
    private final List<Runnable> checks = new ArrayList<>();
    private int next;

    Run(Model model, Sessions sessions, Tape tape, long seed) {
      this.model = model;
      this.sessions = sessions;
      this.tape = tape;
      this.random = new Random(seed);
      for (int i = 0; i < SESSIONS; i++) {
        open();
      }
    }

    private void open() {
      String id = "session-" + next++;
      sessions.open(id);
      begin(id, new Alone(model.layer(), model.isOneHot()));
    }

    private void begin(String id, Alone its) {
      alone.put(id, its);
      steps.put(id, 0);
    }

    private String any() {
      List<String> ids = alone.keySet().stream().sorted().toList();
      return ids.get(random.nextInt(ids.size()));
    }

    void call() {
      String id = any();
      Alone its = alone.get(id);
      switch (random.nextInt(40)) {
        case 0 -> {
          sessions.reset(id);
          its.layer.reset();
        }
        case 1 -> {
          byte[] state = sessions.save(id);
          sessions.step(id, request(model.isOneHot(), 0, 1));
          sessions.restore(id, state);
        }
        case 2 -> {
          String other = "fork-" + next++;
          sessions.fork(id, other);
          begin(other, new Alone(its.layer, model.isOneHot()));
          steps.put(other, steps.get(id));
        }
        case 3 -> {
          sessions.close(id);
          alone.remove(id).close();
          open();
        }
        case 4 -> {
          byte[] state = its.layer.save().toBytes();
          sessions.close(id);
          sessions.restore(id, state);
        }
        default -> step(id, its);
      }
      if (checks.size() > 60) {
        check();
      }
    }

    private void step(String id, Alone its) {
      int time = random.nextInt(5) == 0 ? 1 + random.nextInt(4) : 0;
      int[] indexes = random.ints(Math.max(1, time), 0, IN).toArray();
      CompletableFuture<float[]> answer =
          sessions.stepAsync(id, request(model.isOneHot(), time, indexes));
      float[] expected = its.step(tape, time, indexes);
      int count = steps.merge(id, indexes.length, Integer::sum);
      checks.add(() -> same(id + " after " + count, expected, answer.join(), count));
    }

    void check() {
      checks.forEach(Runnable::run);
      checks.clear();
    }

    /** The states of all, against those of the forks. */
    void end() {
      check();
      alone.forEach(
          (id, its) -> {
            Alone twin = new Alone(model.layer(), model.isOneHot());
            twin.layer.restore(Snapshot.of(sessions.save(id)));
            float[] y = twin.step(tape, 0, 2);
            same(id, its.step(tape, 0, 2), y, steps.get(id));
            same(id, y, sessions.step(id, request(model.isOneHot(), 0, 2)), steps.get(id));
            twin.close();
            its.close();
          });
      assertEquals(alone.size(), sessions.counts().sessions());
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void aSessionAnswersAsAForkOfItsOwnWhoeverSharesItsBatch(Model model) {
    model.layer().on(device, 3);
    for (Batching batching :
        List.of(Batching.ADAPTIVE, new Batching(7, 300, 1000), Batching.ADAPTIVE.withLargest(1))) {
      try (Sessions sessions = Sessions.open(model.layer(), device, batching);
          Tape tape = Tape.inference(device)) {
        Run run = new Run(model, sessions, tape, batching.largest());
        for (int i = 0; i < CALLS / 3; i++) {
          run.call();
        }
        run.end();
      }
    }
  }

  /** A thousand sessions and a Recur for each, stepped by threads of both kinds at once. */
  @ParameterizedTest
  @MethodSource("threads")
  void aThousandSessionsAnswerAsTheirOwnRecur(String kind) throws InterruptedException {
    int count = Devices.rounds(1000);
    int steps = 5;
    Chain model = chain(lstm(3, 16), dense(16, 4)).on(device, 5);
    float[][][] answers = new float[count][steps][];
    try (Sessions sessions = Sessions.open(model, device)) {
      List<Thread> threads = new ArrayList<>();
      int most = kind.equals("virtual") ? count : 8;
      for (int first = 0; first < most; first++) {
        int from = first;
        Runnable work =
            () -> {
              for (int id = from; id < count; id += most) {
                sessions.open(id);
                for (int t = 0; t < steps; t++) {
                  answers[id][t] = sessions.step(id, input(id, t));
                }
              }
            };
        threads.add(
            kind.equals("virtual")
                ? Thread.ofVirtual().start(work)
                : Thread.ofPlatform().start(work));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertEquals(count, sessions.counts().sessions());
      assertEquals((long) count * steps, sessions.counts().requests());
    }
    try (Tape tape = Tape.inference(device)) {
      for (int id = 0; id < count; id++) {
        try (Chain own = model.fork()) {
          for (int t = 0; t < steps; t++) {
            float[] expected = own.apply(tape.input(input(id, t))).toArray();
            same("session " + id + " step " + t, expected, answers[id][t], t);
            tape.clear();
          }
        }
      }
    }
  }

  static Stream<String> threads() {
    return Stream.of("platform", "virtual");
  }

  private static float[] input(int id, int t) {
    return new float[] {(float) Math.sin(id + 0.1 * t), 0.001f * id, t};
  }
}
