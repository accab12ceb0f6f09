package io.recur.grad;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The nodes of a tape in the order in which its tensors were made. The next tensor gets the node
 * that stood at its place before the last {@link #clear}, if that is of its shape.
 */
final class Nodes {
  private @Nullable Node[] nodes = new Node[64];
  private int used;

  /** A node of this shape without values. */
  Node next(Tape tape, int rank, int rows, int batch, int time) {
    if (used == nodes.length) {
      nodes = Arrays.copyOf(nodes, 2 * used);
    }
    Node node = nodes[used];
    if (node == null || !node.shape.is(rank, rows, batch, time)) {
      node = new Node(tape, new Shape(rank, rows, batch, time));
      nodes[used] = node;
    } else {
      node.renew();
    }
    used++;
    return node;
  }

  /** Forgets the tensors: they are stale from now on. */
  void clear() {
    for (int i = 0; i < used; i++) {
      nodes[i].tensor = null;
    }
    used = 0;
  }
}
