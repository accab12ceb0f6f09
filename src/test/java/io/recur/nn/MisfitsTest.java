package io.recur.nn;

import static io.recur.nn.Layers.bidirectional;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.dropout;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.highway;
import static io.recur.nn.Layers.lstm;
import static io.recur.nn.Layers.residual;
import static io.recur.nn.Layers.rnn;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Padded;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;

/**
 * Random containers, one in another, and random inputs: a call that is refused leaves every state
 * inside as it was, bit for bit and with its history, whatever has passed before.
 */
class MisfitsTest {
  private static final int MODELS = Devices.rounds(200);
  private static final int CALLS = 12;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);
  @AutoClose private final Tape inference = Tape.inference(device);

  /** A container of a user's, of two layers. */
  private static final class Pair implements Layer {
    private final Layer first;
    private final Layer second;
    private final AllOrNone states = new AllOrNone(this);

    Pair(Layer first, Layer second) {
      this.first = first;
      this.second = second;
    }

    @Override
    public Tensor apply(Tensor x) {
      return states.apply(x, v -> second.apply(first.apply(v)));
    }

    @Override
    public Padded apply(Padded x) {
      return states.apply(x, v -> second.apply(first.apply(v)));
    }

    @Override
    public List<Layer> layers() {
      return List.of(first, second);
    }
  }

  /** Every second column, or as many sequences as steps: no layer keeps what it is given. */
  private record Halved() implements Layer {
    @Override
    public Tensor apply(Tensor x) {
      return x.columns(0, (x.shape().batch() + 1) / 2);
    }
  }

  private final Random random = new Random(5);

  /** A layer of one step's size to another; some do not fit what is around them. */
  private Layer layer(int in, int out, int depth) {
    int its = random.nextInt(12) == 0 ? in + 1 : in;
    int kind = random.nextInt(depth == 0 ? 5 : 11);
    int inner = 1 + random.nextInt(3);
    return switch (kind) {
      case 0 -> lstm(its, out);
      case 1 -> gru(its, out);
      case 2 -> rnn(its, out);
      case 3 -> dense(its, out);
      case 4 -> odd(its, out);
      case 5 -> residual(layer(in, out, depth - 1), layer(in, out, depth - 1));
      case 6 -> in == out ? residual(layer(in, out, depth - 1)) : chain(layer(in, out, depth - 1));
      case 7 -> in == out ? highway(in, layer(in, out, depth - 1)) : layer(in, out, depth - 1);
      case 8 -> new Pair(layer(in, inner, depth - 1), layer(inner, out, depth - 1));
      case 9 -> directions(its, out);
      default ->
          chain(
              layer(in, inner, depth - 1),
              layer(inner, inner, depth - 1),
              layer(inner, out, depth - 1));
    };
  }

  /** Layers that refuse a number of steps or columns, or change them. */
  private Layer odd(int in, int out) {
    return switch (random.nextInt(6)) {
      case 0 -> new Conv1d(in, out, 2);
      case 1 -> new Conv1d(in, out, 2).stride(2);
      case 2 -> chain(new BatchNorm(in), dense(in, out));
      case 3 -> chain(new Halved(), dense(in, out));
      case 4 -> new Recur(new LSTMCell(in, out)).withoutState0();
      default -> chain(dropout(0.2f), dense(in, out));
    };
  }

  private Layer directions(int in, int out) {
    int other = random.nextInt(8) == 0 ? out + 1 : out;
    return random.nextBoolean()
        ? bidirectional(gru(in, out), lstm(in, other), Bidirectional.Merge.SUM)
        : bidirectional(rnn(in, out), rnn(in, out), Bidirectional.Merge.MEAN);
  }

  /** What a Recur holds. */
  private record Held(
      @Nullable State live,
      @Nullable Tape tape,
      @Nullable List<float[]> kept,
      BitSet resetColumns,
      long changes) {
    static Held of(HeldState held) {
      return new Held(
          held.live,
          held.tape,
          held.kept == null ? null : Cells.values(held.kept),
          (BitSet) held.resetColumns.clone(),
          held.changes);
    }

    void same(HeldState now, String what) {
      Held its = of(now);
      assertSame(live, its.live, what);
      assertSame(tape, its.tape, what);
      assertEquals(kept == null, its.kept == null, what);
      for (int i = 0; kept != null && i < kept.size(); i++) {
        assertArrayEquals(kept.get(i), its.kept.get(i), what);
      }
      assertEquals(resetColumns, its.resetColumns, what);
      assertEquals(changes, its.changes, what);
    }
  }

  /** The states, and the running values of norms. */
  private static List<Held> states(Layer model) {
    return model.recurs().stream().map(recur -> Held.of(recur.held())).toList();
  }

  private static List<float[]> norms(Layer model) {
    List<float[]> values = new ArrayList<>();
    for (Layer part : model.all()) {
      part.running().forEach(parameter -> values.add(parameter.toArray()));
    }
    return values;
  }

  private int refused;
  private int passed;
  private int movedBefore;

  @Test
  void aCallThatIsRefusedMovesNoState() {
    for (int number = 0; number < MODELS; number++) {
      int in = 1 + random.nextInt(3);
      Layer model = layer(in, 1 + random.nextInt(3), 3).on(device, number);
      for (int call = 0; call < CALLS; call++) {
        String what = "model " + number + ", call " + call + " of\n" + model;
        List<Held> before = states(model);
        List<float[]> running = norms(model);
        try {
          call(model, in);
          passed++;
        } catch (ShapeException | IllegalStateException e) {
          refused++;
          movedBefore += before.stream().anyMatch(held -> held.changes > 0) ? 1 : 0;
          for (int i = 0; i < before.size(); i++) {
            before.get(i).same(model.recurs().get(i).held(), what + e);
          }
          List<float[]> after = norms(model);
          for (int i = 0; i < running.size(); i++) {
            assertArrayEquals(running.get(i), after.get(i), what);
          }
        }
        between(model);
      }
      model.reset();
      tape.clear();
      inference.clear();
    }
    String counts = passed + " passed, " + refused + " refused, " + movedBefore + " with states";
    assertTrue(passed > MODELS && refused > MODELS && movedBefore > MODELS / 2, counts);
  }

  /** A call of random sizes: those of most calls are the same. */
  private void call(Layer model, int in) {
    Tape on = random.nextInt(4) == 0 ? inference : tape;
    int rows = random.nextInt(10) == 0 ? in + 1 : in;
    int batch = random.nextInt(3) == 0 ? 1 + random.nextInt(3) : 2;
    int time = random.nextInt(3) == 0 ? 1 + random.nextInt(4) : 4;
    Tensor x = Cells.input(on, random.nextInt(99), rows, batch, time);
    switch (random.nextInt(4)) {
      case 0 -> model.apply(Padded.of(x, random.ints(batch, 1, time + 1).toArray()));
      case 1 -> model.apply(x.time(0));
      case 2 -> model.over(List.of(x.time(0), x.time(time - 1), x));
      default -> model.apply(x);
    }
  }

  private void between(Layer model) {
    switch (random.nextInt(8)) {
      case 0 -> model.reset();
      case 1, 2 -> model.truncate();
      case 3 -> {
        if (states(model).stream().noneMatch(held -> held.live == null && held.kept == null)) {
          model.reset(0);
        }
      }
      default -> {}
    }
  }
}
