package io.recur.nn;

import static io.recur.grad.Functions.tanh;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.cells.ATRCell;
import io.recur.nn.cells.CFNCell;
import io.recur.nn.cells.CoRNNCell;
import io.recur.nn.cells.CoupledLSTMCell;
import io.recur.nn.cells.FastGRNNCell;
import io.recur.nn.cells.FastRNNCell;
import io.recur.nn.cells.GatedDeltaNetCell;
import io.recur.nn.cells.IndRNNCell;
import io.recur.nn.cells.JANETCell;
import io.recur.nn.cells.LRUCell;
import io.recur.nn.cells.LayerNormGRUCell;
import io.recur.nn.cells.LayerNormLSTMCell;
import io.recur.nn.cells.LiGRUCell;
import io.recur.nn.cells.MGUCell;
import io.recur.nn.cells.MLSTMCell;
import io.recur.nn.cells.MinGRUCell;
import io.recur.nn.cells.MinLSTMCell;
import io.recur.nn.cells.MinimalRNNCell;
import io.recur.nn.cells.MultiplicativeLSTMCell;
import io.recur.nn.cells.NASCell;
import io.recur.nn.cells.PeepholeLSTMCell;
import io.recur.nn.cells.ProjectedLSTMCell;
import io.recur.nn.cells.QRNNCell;
import io.recur.nn.cells.RGLRUCell;
import io.recur.nn.cells.RHNCell;
import io.recur.nn.cells.RWKV7Cell;
import io.recur.nn.cells.S5Cell;
import io.recur.nn.cells.SCRNCell;
import io.recur.nn.cells.SLSTMCell;
import io.recur.nn.cells.SRUCell;
import io.recur.nn.cells.STARCell;
import io.recur.nn.cells.UGRNNCell;
import java.lang.reflect.Constructor;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The cells that every law is tested with: the built-in ones, a user's function, a user's class
 * with two state tensors, and the catalogue. All parameters, initial states and biases too, are
 * random, so that no gradient is zero by chance.
 */
public enum Cells {
  RNN {
    @Override
    public Recur make(int in, int out) {
      return new Recur(
          new RNNCell(
              Elementwise.TANH, matrix(out, in), matrix(out, out), random(out), random(out, 1)));
    }
  },
  LSTM {
    @Override
    public Recur make(int in, int out) {
      return new Recur(
          new LSTMCell(
              matrix(4 * out, in),
              matrix(4 * out, out),
              random(4 * out),
              random(out, 1),
              random(out, 1)));
    }
  },
  GRU {
    @Override
    public Recur make(int in, int out) {
      return new Recur(
          new GRUCell(
              matrix(3 * out, in), matrix(3 * out, out), random(3 * out), null, random(out, 1)));
    }
  },
  GRU_WITH_RECURRENT_BIAS {
    @Override
    public Recur make(int in, int out) {
      return new Recur(
          new GRUCell(
              matrix(3 * out, in),
              matrix(3 * out, out),
              random(3 * out),
              random(out),
              random(out, 1)));
    }
  },
  RNN_WITH_TWO_BIASES {
    @Override
    public Recur make(int in, int out) {
      return new Recur(
          new RNNCell(
              Elementwise.TANH,
              matrix(out, in),
              matrix(out, out),
              random(out),
              random(out),
              random(out, 1)));
    }
  },
  LSTM_WITH_TWO_BIASES {
    @Override
    public Recur make(int in, int out) {
      return new Recur(
          new LSTMCell(
              matrix(4 * out, in),
              matrix(4 * out, out),
              random(4 * out),
              random(4 * out),
              random(out, 1),
              random(out, 1)));
    }
  },
  GRU_WITH_TWO_BIASES {
    @Override
    public Recur make(int in, int out) {
      return new Recur(
          new GRUCell(
              matrix(3 * out, in),
              matrix(3 * out, out),
              random(3 * out),
              random(3 * out),
              random(out, 1)));
    }
  },
  GRU_V3 {
    @Override
    public Recur make(int in, int out) {
      return new Recur(
          new GRUv3Cell(
              matrix(3 * out, in),
              matrix(2 * out, out),
              matrix(out, out),
              random(3 * out),
              random(out, 1)));
    }
  },
  FUNCTION {
    @Override
    public Recur make(int in, int out) {
      Parameter wxh = random(out, in).named("Wxh");
      Parameter whh = random(out, out).named("Whh");
      Parameter b = random(out).named("b");
      return new Recur(
          (h, x) -> {
            Tensor y = tanh(wxh.matmul(x).add(whh.matmul(h)).add(b));
            return Step.step(y, y);
          },
          random(out, 1).named("h0"),
          wxh,
          whh,
          b);
    }
  },
  CLASS {
    @Override
    public Recur make(int in, int out) {
      return new Recur(new Leaky(in, out));
    }
  },

  // The catalogue, one line per cell.
  MGU(MGUCell::new),
  UGRNN(UGRNNCell::new),
  PEEPHOLE_LSTM(PeepholeLSTMCell::new),
  IND_RNN(IndRNNCell::new),
  MIN_GRU(MinGRUCell::new),
  LRU(LRUCell::new),
  SLSTM(SLSTMCell::new),
  STAR(STARCell::new),
  MINIMAL_RNN(MinimalRNNCell::new),
  ATR(ATRCell::new),
  CFN(CFNCell::new),
  MULTIPLICATIVE_LSTM(MultiplicativeLSTMCell::new),
  COUPLED_LSTM(CoupledLSTMCell::new),
  PROJECTED_LSTM(ProjectedLSTMCell::new),
  NAS(NASCell::new),
  SCRN(SCRNCell::new),
  RHN(RHNCell::new),
  CORNN(CoRNNCell::new),
  SRU(SRUCell::new),
  QRNN(QRNNCell::new),
  MIN_LSTM(MinLSTMCell::new),
  RG_LRU(RGLRUCell::new),
  LAYER_NORM_LSTM(LayerNormLSTMCell::new),
  LI_GRU(LiGRUCell::new),
  JANET(JANETCell::new),
  FAST_RNN(FastRNNCell::new),
  FAST_GRNN(FastGRNNCell::new),
  LAYER_NORM_GRU(LayerNormGRUCell::new),
  S5(S5Cell::new),
  MLSTM(MLSTMCell::new),
  GATED_DELTA_NET(GatedDeltaNetCell::new),
  RWKV7(RWKV7Cell::new);

  private final @Nullable BiFunction<Integer, Integer, Cell> paper;

  Cells() {
    this.paper = null;
  }

  Cells(BiFunction<Integer, Integer, Cell> paper) {
    this.paper = paper;
  }

  /** Those of the catalogue. */
  public static Stream<Cells> catalogue() {
    return Stream.of(values()).filter(cells -> cells.paper != null);
  }

  /** Those of the catalogue that have a compiled form: a state of a matrix per head has none. */
  public static Stream<Cells> compiled() {
    Set<Cells> heads = EnumSet.of(MLSTM, GATED_DELTA_NET, RWKV7);
    return catalogue().filter(cells -> !heads.contains(cells));
  }

  /** A cell of the catalogue with the initial values of its paper. */
  public Cell paper(int in, int out) {
    return paper.apply(in, out);
  }

  /** A Recur without memory yet. */
  public Recur make(int in, int out) {
    return new Recur(random(paper(in, out)));
  }

  /**
   * A cell of the same sizes, made from its parts, which its constructor takes in their order; what
   * is fixed stays as it is.
   */
  private static Cell random(Cell cell) {
    Deque<Parameter> its = new ArrayDeque<>(cell.parameters());
    Constructor<?> ofParts =
        Stream.of(cell.getClass().getConstructors())
            .filter(c -> List.of(c.getParameterTypes()).contains(Parameter.class))
            .min(
                Comparator.comparingInt(Constructor::getParameterCount)) // without what is optional
            .orElseThrow();
    Object[] parts =
        Stream.of(ofParts.getGenericParameterTypes()).map(type -> random(type, its)).toArray();
    try {
      return (Cell) ofParts.newInstance(parts);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(cell + ": " + ofParts, e);
    }
  }

  private static Object random(Type type, Deque<Parameter> its) {
    if (type == Elementwise.class) {
      return Elementwise.TANH; // smooth, where a kink would spoil a difference
    }
    if (type == float.class) {
      return 0.5f;
    }
    if (type instanceof ParameterizedType list) { // of parts whose names end in numbers
      String name = its.getFirst().name().replaceAll("[1-9]", "");
      List<Object> several = new ArrayList<>();
      for (Parameter part : List.copyOf(its)) {
        if (part.name().matches(name + "[1-9]")) {
          its.remove(part);
          several.add(random(list.getActualTypeArguments()[0], new ArrayDeque<>(List.of(part))));
        }
      }
      return several;
    }
    Parameter part = its.removeFirst();
    Parameter values = part.isTrainable() ? random(part.shape().dimensions()) : part;
    return type == Matrix.class ? Matrix.dense(values) : values;
  }

  /** A user's cell: {@code s' = s/2 + h}, {@code h' = tanh(Wx·x + Wh·h + s')}. */
  static final class Leaky implements Cell {
    private final Parameter wx;
    private final Parameter wh;
    private final Parameter h0;
    private final Parameter s0;

    Leaky(int in, int out) {
      wx = random(out, in).named("Wx");
      wh = random(out, out).named("Wh");
      h0 = random(out, 1).named("h0");
      s0 = random(out, 1).named("s0");
    }

    @Override
    public Step step(State state, Tensor x) {
      Tensor s = state.parts().get(1).scale(0.5f).add(state.h());
      Tensor h = tanh(wx.matmul(x).add(wh.matmul(state.h())).add(s));
      return new Step(State.of(h, s), h);
    }

    @Override
    public List<Parameter> state0() {
      return List.of(h0, s0);
    }

    @Override
    public List<Parameter> parameters() {
      return List.of(wx, wh, h0, s0);
    }

    @Override
    public String toString() {
      return "Leaky";
    }
  }

  static Matrix matrix(int rows, int columns) {
    return Matrix.dense(random(rows, columns));
  }

  /** A parameter that is uniform in ±0.8. */
  static Parameter random(int... dimensions) {
    return Parameter.of(
        Shape.of(dimensions),
        (values, random) ->
            System.arraycopy(values(random, values.length), 0, values, 0, values.length));
  }

  public static float[] values(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = 1.6f * random.nextFloat() - 0.8f;
    }
    return values;
  }

  /** A batch of random inputs. */
  public static Tensor input(Tape tape, long seed, int... dimensions) {
    Shape shape = Shape.of(dimensions);
    return tape.variable(shape, values(new Random(seed), shape.count()));
  }

  /** The gradient of every parameter by name. */
  public static Map<String, float[]> gradients(Layer model) {
    Map<String, float[]> gradients = new LinkedHashMap<>();
    model
        .parameters()
        .named()
        .forEach(
            (name, parameter) -> {
              if (parameter.isTrainable()) {
                gradients.put(name, parameter.gradientArray());
              }
            });
    return gradients;
  }

  /** The gradients of the initial state, one array a part that is trained. */
  static List<float[]> state0Gradients(Recur recur) {
    return recur.cell().state0().stream()
        .filter(Parameter::isTrainable)
        .map(Tensor::gradientArray)
        .toList();
  }

  /** The parts of a state as one list of arrays. */
  public static List<float[]> values(State state) {
    return state.parts().stream().map(Tensor::toArray).toList();
  }

  /** A scalar in which every value has a weight of its own, so that no two gradients are alike. */
  public static Tensor weighed(Tape tape, Tensor y, long seed) {
    float[] weights = values(new Random(seed), y.shape().count());
    return y.mul(tape.input(y.shape(), weights)).sum();
  }

  /** Asserts that a state has these values, bit for bit. */
  static void same(List<float[]> expected, State actual) {
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(expected.get(i), actual.parts().get(i).toArray());
    }
  }
}
