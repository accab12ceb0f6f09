package io.recur.compile;

import io.recur.device.Elementwise;
import io.recur.device.kernels.Band;
import io.recur.device.kernels.Binary;
import io.recur.device.kernels.Reduction;
import io.recur.grad.Graph;
import io.recur.grad.Graph.Node;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** A random step of a cell: any operations of the list, on values that stay within bounds. */
final class RandomGraph {
  private static final Elementwise[] FUNCTIONS = {
    Elementwise.TANH,
    Elementwise.SIGMOID,
    Elementwise.SOFTSIGN,
    Elementwise.SWISH,
    Elementwise.NEGATE,
    Elementwise.IDENTITY,
    Elementwise.SOFTPLUS,
    Elementwise.GELU,
    Elementwise.SQUARE,
    Elementwise.EXP,
    Elementwise.SQRT,
    Elementwise.RECIPROCAL
  };
  private static final Binary[] COMBINATIONS = {
    Binary.ADD,
    Binary.ADD,
    Binary.SUBTRACT,
    Binary.MULTIPLY,
    Binary.MULTIPLY,
    Binary.MINIMUM,
    Binary.MAXIMUM,
    Binary.DIVIDE,
    Binary.GREATER
  };

  private final Random random;
  private final List<Node> nodes = new ArrayList<>();
  private final List<Parameter> parameters = new ArrayList<>();

  private RandomGraph(long seed) {
    this.random = new Random(seed);
  }

  static Graph of(long seed) {
    return new RandomGraph(seed).graph();
  }

  private int add(Node node) {
    int found = nodes.indexOf(node);
    if (found >= 0) {
      return found;
    }
    nodes.add(node);
    return nodes.size() - 1;
  }

  private int rows(int node) {
    return nodes.get(node).rows();
  }

  private Graph graph() {
    int in = 1 + random.nextInt(4);
    int parts = 1 + random.nextInt(2);
    add(new Node.Input(in, false));
    int[] units = new int[parts];
    for (int i = 0; i < parts; i++) {
      units[i] = 1 + random.nextInt(5);
      add(new Node.State(i, units[i]));
    }
    int length = 3 + random.nextInt(18);
    for (int i = 0; i < length; i++) {
      grow();
    }
    List<Integer> states = new ArrayList<>();
    for (int count : units) {
      states.add(squashed(sized(any(), count)));
    }
    int y = random.nextBoolean() ? states.getFirst() : any();
    return new Graph(List.copyOf(nodes), parameters, 0, states, y);
  }

  private int any() {
    return random.nextInt(nodes.size());
  }

  private int squashed(int a) {
    return add(new Node.Map(Elementwise.TANH, rows(a), a));
  }

  /** Between 1/2 and 3/2. */
  private int positive(int a) {
    int share = add(new Node.Map(Elementwise.SIGMOID, rows(a), a));
    return add(new Node.Affine(rows(a), share, 1, 0.5f));
  }

  private int parameter(Shape shape) {
    parameters.add(Parameter.zeros(shape));
    return parameters.size() - 1;
  }

  private int product(int operand, int rows) {
    int w = parameter(Shape.of(rows, rows(operand)));
    return add(new Node.Product(w, rows, operand));
  }

  /** A node of so many rows. */
  private int sized(int a, int rows) {
    if (rows(a) == rows) {
      return a;
    }
    if (rows(a) > rows && random.nextBoolean()) {
      return add(new Node.Rows(rows, a, random.nextInt(rows(a) - rows + 1)));
    }
    return product(a, rows);
  }

  private void grow() {
    int a = any();
    switch (random.nextInt(11)) {
      case 0, 1 -> product(a, 1 + random.nextInt(8));
      case 2 -> {
        Elementwise f = FUNCTIONS[random.nextInt(FUNCTIONS.length)];
        int safe =
            switch (f) {
              case EXP, SQUARE -> squashed(a);
              case SQRT, RECIPROCAL -> positive(a);
              default -> a;
            };
        add(new Node.Map(f, rows(a), safe));
      }
      case 3 -> add(new Node.Affine(rows(a), a, random.nextFloat() - 0.5f, random.nextFloat()));
      case 4, 5 -> {
        int other = random.nextInt(4) == 0 ? row() : sized(any(), rows(a));
        Binary f = COMBINATIONS[random.nextInt(COMBINATIONS.length)];
        boolean turned = random.nextBoolean();
        int rows = Math.max(rows(a), rows(other));
        int right = turned ? a : other;
        int divisor = f == Binary.DIVIDE ? positive(right) : right;
        add(new Node.Combine(f, rows, turned ? other : a, divisor));
      }
      case 6 -> {
        int vector = add(new Node.Vector(parameter(Shape.of(rows(a))), rows(a)));
        add(new Node.Combine(Binary.ADD, rows(a), a, vector));
      }
      case 7 -> {
        if (rows(a) > 1) {
          int rows = 1 + random.nextInt(rows(a) - 1);
          add(new Node.Rows(rows, a, random.nextInt(rows(a) - rows + 1)));
        }
      }
      case 8 -> {
        int b = any();
        add(new Node.Concat(rows(a) + rows(b), List.of(a, b)));
      }
      case 9 -> {
        Band band = new Band(random.nextInt(Math.min(rows(a), 4)), rows(a), 1 + random.nextInt(3));
        int values = parameter(Shape.of(band.stored()));
        add(new Node.BandProduct(values, band.bandwidth(), band.rows(), a));
      }
      default -> row();
    }
  }

  /** A node of one row. */
  private int row() {
    int a = any();
    return switch (random.nextInt(5)) {
      case 0 -> add(new Node.Reduce(Reduction.SUM, squashed(a)));
      case 1 -> add(new Node.Reduce(Reduction.VARIANCE, a));
      case 2 -> add(new Node.Reduce(Reduction.MAX, a));
      case 3 -> add(new Node.Reduce(Reduction.MEAN, a));
      default -> add(new Node.Vector(parameter(Shape.of(1)), 1));
    };
  }
}
