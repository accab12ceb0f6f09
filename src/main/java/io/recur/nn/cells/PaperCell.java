package io.recur.nn.cells;

import static io.recur.grad.Functions.sqrt;

import io.recur.device.Dimension;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Cell;
import io.recur.nn.Matrix;
import io.recur.nn.State;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What all cells of the catalogue share: the sizes in and out, the parts with the sizes that they
 * must have, the checks of a step.
 *
 * <p>A part is a weight, a vector or an initial state. Its size is checked, then it is named.
 * {@link #parameters()} lists the parts in the order in which a cell gives them.
 */
abstract class PaperCell implements Cell {
  /** The rows or columns that a part must have. */
  @FunctionalInterface
  interface Size {
    long of(int in, int out);
  }

  /**
   * A part and the size that it must have.
   *
   * @param weight that it is; null for what is no matrix
   * @param rows those that it has
   * @param columns those that it has
   */
  record Part(
      String name,
      Parameter values,
      @Nullable Matrix weight,
      int rows,
      int columns,
      Size needRows,
      Size needColumns,
      boolean isState) {
    private boolean fits(int in, int out) {
      return rows == needRows.of(in, out) && columns == needColumns.of(in, out);
    }
  }

  private static final float EPSILON = 1e-5f;

  final int in;
  final int out;
  private final List<Parameter> parameters;
  private final List<Parameter> state0;
  private final List<Matrix> matrices;

  /**
   * Checks and names the parts.
   *
   * @param in length of x
   * @param out length of y, the units
   * @throws ShapeException if the size of a part does not fit; then none has been named
   */
  PaperCell(int in, int out, Part... parts) {
    this.in = in;
    this.out = out;
    for (Part part : parts) {
      if (!part.fits(in, out)) {
        throw new ShapeException(
            "%s: %s=%d×%d, in=%d, out=%d; need %s %d×%d"
                .formatted(
                    label(),
                    part.name,
                    part.rows,
                    part.columns,
                    in,
                    out,
                    part.name,
                    part.needRows.of(in, out),
                    part.needColumns.of(in, out)));
      }
    }
    this.parameters = Stream.of(parts).map(part -> part.values.named(part.name)).toList();
    this.state0 = Stream.of(parts).filter(Part::isState).map(Part::values).toList();
    this.matrices = Stream.of(parts).map(Part::weight).filter(Objects::nonNull).toList();
  }

  /** A matrix of gates·out × in, which multiplies x. */
  static Part input(String name, Matrix w, int gates) {
    return matrix(name, w, (in, out) -> (long) gates * out, (in, out) -> in);
  }

  /** A matrix of gates·out × out, which multiplies h or what has its size. */
  static Part recurrent(String name, Matrix w, int gates) {
    return matrix(name, w, (in, out) -> (long) gates * out, (in, out) -> out);
  }

  /** A matrix of any size. */
  static Part matrix(String name, Matrix w, Size rows, Size columns) {
    return new Part(name, w.values(), w, w.rows(), w.columns(), rows, columns, false);
  }

  /** A vector of gates·out, such as a bias. */
  static Part vector(String name, Parameter p, int gates) {
    return vector(name, p, (in, out) -> (long) gates * out);
  }

  /** A vector of any length. */
  static Part vector(String name, Parameter p, Size rows) {
    return part(name, p, rows, false);
  }

  /** An initial state, out × 1. */
  static Part state(String name, Parameter p) {
    return state(name, p, (in, out) -> out);
  }

  /** An initial state of any length. */
  static Part state(String name, Parameter p, Size rows) {
    return part(name, p, rows, true);
  }

  private static Part part(String name, Parameter p, Size rows, boolean isState) {
    Shape shape = p.shape();
    return new Part(name, p, null, shape.rows(), shape.columns(), rows, (in, out) -> 1, isState);
  }

  /** A state of zeros, one column. */
  static Parameter zeros(int units) {
    return Parameter.zeros(Shape.of(units, 1));
  }

  /** A vector of {@code gates} biases, zeros but for those of one gate. */
  static Parameter bias(int gates, int units, int gate, float value) {
    return Parameter.of(
        Shape.of(gates * units),
        (values, random) -> Arrays.fill(values, gate * units, (gate + 1) * units, value));
  }

  /** A vector of one value. */
  static Parameter constant(int units, float value) {
    return Parameter.of(Shape.of(units), (values, random) -> Arrays.fill(values, value));
  }

  /** The first value of a unit. */
  @FunctionalInterface
  interface First {
    double of(int unit, Random random);
  }

  /** A vector whose values depend on their place, or are random. */
  static Parameter filled(int units, First first) {
    return Parameter.of(
        Shape.of(units),
        (values, random) -> {
          for (int i = 0; i < values.length; i++) {
            values[i] = (float) first.of(i, random);
          }
        });
  }

  /** A vector that is uniform between two values. */
  static Parameter uniform(int units, float low, float high) {
    return Parameter.of(
        Shape.of(units),
        (values, random) -> {
          for (int i = 0; i < values.length; i++) {
            values[i] = low + (high - low) * random.nextFloat();
          }
        });
  }

  /** A dense matrix of normal values. */
  static Matrix normal(int rows, int columns, double deviation) {
    return Matrix.dense(
        Parameter.of(
            Shape.of(rows, columns),
            (values, random) -> {
              for (int i = 0; i < values.length; i++) {
                values[i] = (float) (deviation * random.nextGaussian());
              }
            }));
  }

  /**
   * The rows of stacked gates.
   *
   * @throws ShapeException if a size is below 1, or a matrix of that many rows has more values than
   *     a shape can count
   */
  static int rows(String label, int gates, int in, int out) {
    double rows = (double) gates * out; // a long might overflow in the product
    if (in < 1 || out < 1 || rows * Math.max(in, out) > Integer.MAX_VALUE) {
      throw new ShapeException(
          "%s: in=%d, out=%d, weights of %.0f rows; need 1 or more, at most %d values in each"
              .formatted(label, in, out, rows, Integer.MAX_VALUE));
    }
    return gates * out;
  }

  /**
   * The state on the tape of x. Refuses an input or a state of the wrong size before anything is
   * computed.
   */
  final State check(State state, Tensor x) {
    List<Tensor> parts = state.parts();
    boolean fits = x.shape().rows() == in && parts.size() == state0.size();
    for (int i = 0; fits && i < parts.size(); i++) {
      fits =
          parts.get(i).shape().rows() == state0.get(i).shape().rows()
              && parts.get(i).shape().columns() == x.shape().columns();
    }
    if (!fits) {
      throw new ShapeException(
          """
          %s: x=%s, state=%s; need x of %d rows, a state of %s rows, as many columns in each: x is \
          features × batch × time, and of rank 2 a batch"""
              .formatted(this, x.shape(), rowsOf(parts, true), in, rowsOf(state0, false)));
    }
    return state.on(x.tape());
  }

  private static String rowsOf(List<? extends Tensor> parts, boolean whole) {
    return parts.stream()
        .map(Tensor::shape)
        .map(shape -> whole ? shape.toString() : "" + shape.rows())
        .collect(Collectors.joining(", "));
  }

  /** The rows of gate number k. */
  final Tensor gate(Tensor stacked, int k) {
    return stacked.rows(k * out, (k + 1) * out);
  }

  /** A parameter on the tape of a step, where a function of it is to be taken. */
  static Tensor use(Parameter parameter, State state, Tensor x) {
    Tape tape = x.tape() != null ? x.tape() : state.h().tape();
    if (tape == null) {
      throw new IllegalStateException(
          "step: neither x nor the state is on a tape; make x with tape.input(…)");
    }
    return tape.use(parameter);
  }

  /** Each column less its mean, divided by its deviation √(variance + 10⁻⁵). */
  static Tensor normalised(Tensor a) {
    Tensor deviation = sqrt(a.variance(Dimension.ROWS).add(EPSILON));
    return a.sub(a.mean(Dimension.ROWS)).div(deviation);
  }

  /** {@code z∘a + (1 − z)∘b}. */
  static Tensor blend(Tensor z, Tensor a, Tensor b) {
    return b.add(z.mul(a.sub(b)));
  }

  private String label() {
    return getClass().getSimpleName();
  }

  /** Column j of a product, an elementwise function or a sum over rows depends on column j. */
  @Override
  public final boolean columnsAreIndependent() {
    return true;
  }

  @Override
  public final List<Parameter> state0() {
    return state0;
  }

  @Override
  public final List<Parameter> parameters() {
    return parameters;
  }

  /**
   * {@return the weights that are matrices, among them those of bands, in the parameters' order}
   */
  public final List<Matrix> matrices() {
    return matrices;
  }

  @Override
  public final String toString() {
    return label() + "(" + in + " => " + out + ")";
  }
}
