package io.recur.io.onnx;

import java.util.List;
import java.util.Map;

/**
 * A graph, or the subgraph of a node, as the file has it.
 *
 * @param name its name
 * @param nodes in the order in which they run
 * @param initialisers constants by name: {@link Value.Reals} or {@link Value.Integers}
 * @param inputs what a caller gives; older files list the initialisers too
 * @param outputs what a caller gets
 */
record Graph(
    String name,
    List<Node> nodes,
    Map<String, Value> initialisers,
    List<Port> inputs,
    List<Port> outputs) {}
