package io.recur.grad;

import io.recur.device.Elementwise;
import io.recur.device.kernels.Binary;
import io.recur.device.kernels.Reduction;
import java.util.List;

/**
 * The operations of one step of a cell, without values: what {@code step} does, for every batch and
 * at every step. Nodes are numbered in the order in which they were computed; a node names earlier
 * ones. Equal nodes occur once.
 *
 * <p>A node has its rows and one column per column of the batch; a node of one row fits any number
 * of rows in {@link Node.Combine}, where it is repeated over them.
 *
 * <pre>{@code
 * // the nodes of h' = tanh(W·x + h); parameter 0 is W
 * List<Graph.Node> nodes =
 *     List.of(
 *         new Graph.Node.Input(3, false),
 *         new Graph.Node.State(0, 5),
 *         new Graph.Node.Product(0, 5, 0),
 *         new Graph.Node.Combine(Binary.ADD, 5, 2, 1),
 *         new Graph.Node.Map(Elementwise.TANH, 5, 3));
 * }</pre>
 *
 * @param nodes the operations
 * @param parameters that the nodes name
 * @param dropped the parameters of which each sequence drops values
 * @param draws the number of random operations of a step
 * @param states the nodes of the new state, one per part
 * @param y the node of the output
 */
public record Graph(
    List<Node> nodes,
    List<Parameter> parameters,
    List<Dropped> dropped,
    int draws,
    List<Integer> states,
    int y) {

  /**
   * A graph of which no sequence drops weights.
   *
   * @param nodes the operations
   * @param parameters that the nodes name
   * @param draws the number of random operations of a step
   * @param states the nodes of the new state, one per part
   * @param y the node of the output
   */
  public Graph(
      List<Node> nodes, List<Parameter> parameters, int draws, List<Integer> states, int y) {
    this(nodes, parameters, List.of(), draws, states, y);
  }

  /**
   * A parameter of which each sequence drops values, see {@link DropConnect}.
   *
   * @param parameter its place in the list of parameters
   * @param rate the probability that a value is dropped, above 0
   */
  public record Dropped(int parameter, float rate) {}

  /** An operation. Its operands are numbers of nodes. */
  public sealed interface Node {
    /** {@return the rows of the result} */
    int rows();

    /** {@return the numbers of the nodes that it reads} */
    default List<Integer> operands() {
      return switch (this) {
        case Input _, State _, Vector _, Constant _ -> List.of();
        case Product n -> List.of(n.operand);
        case BandProduct n -> List.of(n.operand);
        case Map n -> List.of(n.a);
        case Affine n -> List.of(n.a);
        case Combine n -> List.of(n.a, n.b);
        case Rows n -> List.of(n.a);
        case Concat n -> n.parts;
        case Reduce n -> List.of(n.a);
        case Drop n -> List.of(n.a);
      };
    }

    /**
     * The input x, dense or one-hot columns.
     *
     * @param rows the rows of the result
     * @param isOneHot whether x is one-hot columns
     */
    record Input(int rows, boolean isOneHot) implements Node {}

    /**
     * A part of the state before the step.
     *
     * @param part the part of the state
     * @param rows the rows of the result
     */
    record State(int part, int rows) implements Node {}

    /**
     * A parameter of one column, repeated over the batch.
     *
     * @param parameter its place in the list of parameters
     * @param rows the rows of the result
     */
    record Vector(int parameter, int rows) implements Node {}

    /**
     * A number; it has one row.
     *
     * @param number the number
     */
    record Constant(float number) implements Node {
      @Override
      public int rows() {
        return 1;
      }
    }

    /**
     * {@code W·operand}, with a parameter matrix W.
     *
     * @param parameter its place in the list of parameters
     * @param rows the rows of the result
     * @param operand the node of the right factor
     */
    record Product(int parameter, int rows, int operand) implements Node {}

    /**
     * {@code W·operand}, with a matrix W of the diagonals −bandwidth … bandwidth, or several of
     * them stacked along the rows; see {@link io.recur.device.kernels.Band} for the order of the
     * values of the parameter.
     *
     * @param parameter its place in the list of parameters
     * @param bandwidth diagonals on either side of the main one
     * @param rows the rows of the result
     * @param operand the node of the right factor
     */
    record BandProduct(int parameter, int bandwidth, int rows, int operand) implements Node {}

    /**
     * {@code f(a)}.
     *
     * @param f the function
     * @param rows the rows of the result
     * @param a the node of the operand
     */
    record Map(Elementwise f, int rows, int a) implements Node {}

    /**
     * {@code factor·a + constant}.
     *
     * @param rows the rows of the result
     * @param a the node of the operand
     * @param factor of a
     * @param constant is added
     */
    record Affine(int rows, int a, float factor, float constant) implements Node {}

    /**
     * {@code f(a, b)}; a or b may have one row.
     *
     * @param f the function
     * @param rows the rows of the result
     * @param a the node of the operand
     * @param b the node of the second operand
     */
    record Combine(Binary f, int rows, int a, int b) implements Node {}

    /**
     * Rows {@code from} to {@code from + rows − 1} of a.
     *
     * @param rows the rows of the result
     * @param a the node of the operand
     * @param from the first row of a
     */
    record Rows(int rows, int a, int from) implements Node {}

    /**
     * The rows of all parts.
     *
     * @param rows the rows of the result
     * @param parts the nodes of the parts
     */
    record Concat(int rows, List<Integer> parts) implements Node {}

    /**
     * A reduction over the rows of a; it has one row.
     *
     * @param kind what is computed
     * @param a the node of the operand
     */
    record Reduce(Reduction kind, int a) implements Node {
      @Override
      public int rows() {
        return 1;
      }
    }

    /**
     * Dropout with the random numbers of this draw of the step.
     *
     * @param rows the rows of the result
     * @param a the node of the operand
     * @param rate the probability that a value is dropped
     * @param draw which random operation of the step it is
     */
    record Drop(int rows, int a, float rate, int draw) implements Node {}
  }

  /**
   * Returns a node.
   *
   * @param number its number
   * @return the node
   */
  public Node node(int number) {
    return nodes.get(number);
  }
}
