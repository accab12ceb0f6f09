package io.recur.io.onnx;

import io.recur.grad.Concat;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Matrix products. ONNX's rows are Recur's columns: {@code Y = A·B} of row-major matrices is {@code
 * Yᵀ = Bᵀ·Aᵀ} of the same bytes, so that a weight B is a matrix out × in as it is.
 */
final class ProductOperators {
  static final List<Operator> ALL =
      List.of(
          Operator.of(
              "MatMul",
              2,
              2,
              setup -> call -> List.of(product(call, call.value(0), call.value(1)))),
          Operator.of("Gemm", 2, 3, ProductOperators::gemm)
              .with("alpha", Attribute.Kind.REAL)
              .with("beta", Attribute.Kind.REAL)
              .with("transA", Attribute.Kind.WHOLE)
              .with("transB", Attribute.Kind.WHOLE),
          Operator.of("Conv", 2, 3, Convolution::of)
              .with("auto_pad", Attribute.Kind.TEXT)
              .with("dilations", Attribute.Kind.WHOLES)
              .with("group", Attribute.Kind.WHOLE)
              .with("kernel_shape", Attribute.Kind.WHOLES)
              .with("pads", Attribute.Kind.WHOLES)
              .with("strides", Attribute.Kind.WHOLES));

  private ProductOperators() {}

  // MatMul.

  private static Value product(Call call, Value first, Value second) {
    boolean isRow = first.dims().rank() == 1;
    boolean isColumn = second.dims().rank() == 1;
    Value.OnTape a = floats(call, isRow ? Rearranging.unsqueezed(first, 0) : first);
    Value.OnTape b = floats(call, isColumn ? Rearranging.unsqueezed(second, 1) : second);
    int rank = a.dims().rank();
    if (rank < 2
        || b.dims().rank() < 2
        || a.dims().size(rank - 1) != b.dims().size(b.dims().rank() - 2)) {
      throw call.refuse(
          "a=%s, b=%s; need as many columns of a as rows of b"
              .formatted(first.dims(), second.dims()));
    }
    if (a.held().tape() == null && b.held().tape() == null) {
      a = Rearranging.lifted(call, a);
    }
    Value y = b.dims().rank() == 2 ? product(a, b) : products(call, a, b);
    y = isColumn ? Rearranging.squeezed(y, y.dims().rank() - 1) : y;
    return isRow ? Rearranging.squeezed(y, y.dims().rank() - (isColumn ? 1 : 2)) : y;
  }

  /** Floats, where a parameter stays one. */
  private static Value.OnTape floats(Call call, Value x) {
    return x instanceof Value.OnTape on ? on : Rearranging.lifted(call, x);
  }

  /** All rows of a times one matrix b, at once. */
  private static Value.OnTape product(Value.OnTape a, Value.OnTape b) {
    int last = a.dims().rank() - 1;
    int terms = a.dims().size(last);
    int[] order = Order.contiguous(a.order(), last);
    Tensor rows = Order.arranged(a, order).reshape(Shape.of(terms, a.dims().count() / terms));
    Tensor y = matrix(b).matmul(rows);
    return new Value.OnTape(a.dims().with(last, b.dims().size(1)), order, y);
  }

  /** Of {@code [terms, out]} the matrix out × terms. */
  private static Tensor matrix(Value.OnTape b) {
    return b.tensor().reshape(Shape.of(b.dims().size(1), b.dims().size(0)));
  }

  /** Products of one matrix each. */
  private static Value products(Call call, Value.OnTape a, Value.OnTape b) {
    Dims left = batch(a.dims());
    Dims right = batch(b.dims());
    Dims all = left.broadcast(right);
    int[] ofA = places(call, left, all);
    int[] ofB = places(call, right, all);
    int m = a.dims().size(a.dims().rank() - 2);
    int k = a.dims().size(a.dims().rank() - 1);
    int n = b.dims().size(b.dims().rank() - 1);
    Tensor rows = a.tensor().reshape(Shape.of(k, m, left.count()));
    Tensor matrices = b.tensor().reshape(Shape.of(n, k, right.count()));
    Tensor[] products = new Tensor[all.count()];
    for (int i = 0; i < products.length; i++) {
      products[i] = matrices.time(ofB[i]).matmul(rows.time(ofA[i]));
    }
    Dims dims = all.insert(all.rank(), m).insert(all.rank() + 1, n);
    return new Value.OnTape(dims, products.length == 1 ? products[0] : Concat.columns(products));
  }

  private static Dims batch(Dims dims) {
    return Dims.of(Arrays.copyOf(dims.sizes(), dims.rank() - 2));
  }

  /** For each matrix of the result that of an operand, which may be repeated. */
  private static int[] places(Call call, Dims own, Dims all) {
    long[] numbers = new long[own.count()];
    Arrays.setAll(numbers, i -> i);
    Value expanded = Rearranging.expanded(call, Value.of(own, numbers), all);
    return Arrays.stream(expanded.integers()).mapToInt(i -> (int) i).toArray();
  }

  // Gemm.

  private static Operator.Evaluation gemm(Setup setup) {
    Node node = setup.node();
    float alpha = node.real("alpha", 1);
    float beta = node.real("beta", 1);
    boolean transA = node.flag("transA", false);
    boolean transB = node.flag("transB", false);
    Value.OnTape weight = transB ? transposed(setup) : null;
    return call -> {
      Value a = matrix(call, 0, transA);
      Value b = weight != null ? weight : matrix(call, 1, transB);
      Value y = product(call, a, b);
      if (alpha != 1) {
        Value.OnTape on = (Value.OnTape) y;
        y = new Value.OnTape(on.dims(), on.order(), on.held().scale(alpha));
      }
      if (call.has(2) && beta != 0) {
        Value.OnTape c = floats(call, call.value(2));
        Tensor scaled = beta == 1 ? c.held() : Rearranging.onTape(call, c.held()).scale(beta);
        y = ArithmeticOperators.ADD.of(call, y, new Value.OnTape(c.dims(), c.order(), scaled));
      }
      return List.of(y);
    };
  }

  private static Value matrix(Call call, int i, boolean isTransposed) {
    if (call.dims(i).rank() != 2) {
      throw call.refuse("input %d is %s; need a matrix".formatted(i, call.dims(i)));
    }
    Value x = floats(call, call.value(i));
    return isTransposed ? Rearranging.permute(call, x, 1, 0) : x;
  }

  /**
   * A constant B with transB, such as PyTorch's Linear has, in the order in which it multiplies.
   */
  private static Value.@Nullable OnTape transposed(Setup setup) {
    if (!(setup.constant(1) instanceof Value.Reals b) || b.dims().rank() != 2) {
      return null;
    }
    int out = b.dims().size(0);
    int in = b.dims().size(1);
    float[] values = new float[b.values().length];
    for (int i = 0; i < values.length; i++) {
      values[i % in * out + i / in] = b.values()[i];
    }
    return new Value.OnTape(Dims.of(in, out), setup.parameter(1, Shape.of(out, in), values));
  }
}
