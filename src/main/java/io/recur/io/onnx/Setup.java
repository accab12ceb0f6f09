package io.recur.io.onnx;

import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.nn.Recur;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * A node that is prepared when the model is read: what is known of its inputs, and what the node
 * adds to the model.
 *
 * <p>A constant of floats that a node reads becomes a parameter of the model, of the shape {@link
 * Dims#shape}, and {@link Call#tensor} gives it, unless the node {@linkplain #claim claims} it:
 * then the node has read it here, and keeps what it needs. Initialisers of one dimension or more
 * are trainable, also where nodes that {@linkplain Operator#folds fold} have rearranged them;
 * constants of nodes and scalars are fixed.
 */
final class Setup {
  private final Node node;
  private final Binding binding;
  private final BitSet claimed = new BitSet();

  /** The inputs for which the node has parameters. */
  private final BitSet replaced = new BitSet();

  private boolean addsToTheModel;

  Setup(Node node, Binding binding) {
    this.node = node;
    this.binding = binding;
  }

  /** The node, with its attributes and {@link Node#opset}. */
  Node node() {
    return node;
  }

  /** The value of an input that is constant: Reals or Integers; null of another one. */
  @Nullable Value constant(int i) {
    return node.hasInput(i) ? binding.constant(node.inputs().get(i)) : null;
  }

  /** The floats of an input that must be constant. */
  Value.Reals constantReals(int i) {
    if (constant(i) instanceof Value.Reals found) {
      return found;
    }
    throw node.refuse("input %d must be constant floats: an initialiser".formatted(i));
  }

  /**
   * The number that an input is everywhere, whatever its sizes: a constant, or zeros of a computed
   * shape. A node that claims such an input does not get it in a call.
   */
  @Nullable Float uniform(int i) {
    return binding.uniform(node.inputs().get(i));
  }

  /** Notes constant inputs that the node has read here and does not read in a call. */
  void claim(int... inputs) {
    for (int i : inputs) {
      claimed.set(i);
    }
  }

  boolean isClaimed(int i) {
    return claimed.get(i);
  }

  /**
   * A parameter of the model made of a constant input, in the layout that the node needs; claims
   * the input.
   *
   * @param i the input
   * @param shape of the parameter
   * @param values first dimension contiguous; not copied
   * @return named after the input, trainable if that is
   */
  Parameter parameter(int i, Shape shape, float[] values) {
    claim(i);
    addsToTheModel = true;
    Parameter made = weight(i, shape, values);
    binding.parts().add(made);
    return made;
  }

  /**
   * A parameter as {@link #parameter} makes it that is a part of a layer: the model has it there.
   */
  Parameter weight(int i, Shape shape, float[] values) {
    claim(i);
    if (!replaced.get(i)) {
      replaced.set(i);
      binding.replace(node.inputs().get(i));
    }
    return binding.parameter(node.inputs().get(i), shape, values);
  }

  /** Reports what the node has become. */
  void note(String what) {
    binding.parts().note(node, what);
  }

  /**
   * Adds a Recur to the model.
   *
   * @param recur made for this node
   * @return its number, for {@link Call#recur}
   */
  int recur(Recur recur) {
    addsToTheModel = true;
    note(recur.describe());
    return binding.parts().add(recur);
  }

  /** Whether the node is in the body of a Loop or a Scan, which runs several times in one call. */
  boolean isRepeated() {
    return binding.isRepeated();
  }

  /**
   * Prepares a subgraph of this node. Its nodes see the values above this node by name.
   *
   * @param attribute the attribute that holds it
   * @param repeated whether it may run several times in one call of this node
   * @return for {@link Call#run}
   */
  Body body(String attribute, boolean repeated) {
    addsToTheModel = true;
    return new Binding(node.inner(attribute), binding, repeated).body();
  }

  /** Whether the node may be computed when the model is read. */
  boolean isFree() {
    return !addsToTheModel;
  }
}
