package io.recur.compile;

import io.recur.compile.Draft.Effect;
import io.recur.device.kernels.Reduction;
import io.recur.grad.Graph;
import io.recur.grad.Graph.Node;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * Nodes that a reduction reads whole, and others in equal parts alone: the sums of all gates, of
 * which layer normalisation takes the mean. They are computed part by part, with what is computed
 * from each part: then no value waits in a matrix, or on another core.
 */
final class Parts {
  private final Graph graph;
  private final Lowering lowering;

  private Parts(Graph graph, Lowering lowering) {
    this.graph = graph;
    this.lowering = lowering;
  }

  /**
   * Finds them in a lowering that computes each of them as a whole.
   *
   * @param together nodes whose rows must be computed together
   * @return the rows of the parts, by node
   */
  static Map<Integer, Integer> of(Graph graph, Lowering lowering, Set<Integer> together) {
    Parts parts = new Parts(graph, lowering);
    Map<Integer, Integer> found = new HashMap<>();
    for (Node node : graph.nodes()) {
      if (node instanceof Node.Reduce reduce && !together.contains(reduce.a())) {
        int rows = parts.rows(reduce.a());
        if (rows > 0) {
          found.put(reduce.a(), rows);
        }
      }
    }
    return found;
  }

  /** The rows of each part that is read of a node, or 0 if they differ, or it is read whole. */
  private int rows(int node) {
    int array = lowering.arrayOf(node);
    if (array < 0 || !lowering.isUncut(node)) {
      return 0;
    }
    for (Effect effect : lowering.draft.effects) {
      if (effect instanceof Effect.Store s && s.array() != array && isStored(s.term(), array)) {
        return 0; // as a state or the output
      }
    }
    int rows = 0;
    for (Term term : lowering.draft.terms) {
      if (term instanceof Term.Load load && load.array() == array) {
        if (load.row() % load.rows() != 0 || rows > 0 && rows != load.rows()) {
          return 0;
        }
        rows = load.rows();
      } else if (readsWhole(term, array)) {
        return 0;
      }
    }
    return rows > 1 && graph.node(node).rows() % rows == 0 ? rows : 0;
  }

  /** Whether a term reads all rows of what is stored in an array, and could not read its parts. */
  private boolean readsWhole(Term term, int array) {
    if (term instanceof Term.Times times) {
      return times.operand() == array;
    }
    boolean isOfParts = term instanceof Term.Reduced reduced && reduced.kind() != Reduction.MAX;
    return !isOfParts && Arrays.stream(term.operands()).anyMatch(read -> isStored(read, array));
  }

  private boolean isStored(int term, int array) {
    return lowering.draft.effects.stream()
        .anyMatch(e -> e instanceof Effect.Store s && s.term() == term && s.array() == array);
  }
}
