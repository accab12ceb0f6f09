package io.recur.io.onnx;

import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

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
    List<Port> outputs) {
  /** Whether a recurrent node runs from the last step to the first. */
  boolean runsBack() {
    return nodes.stream()
        .anyMatch(
            node ->
                !node.text("direction", "forward").equals("forward")
                    || node.attributes().values().stream()
                        .anyMatch(
                            its ->
                                its instanceof Attribute.Inner inner && inner.graph().runsBack()));
  }

  /** The same without the outputs that are states, whose inputs have initial values. */
  Graph withoutStates() {
    List<Integer> states =
        StatePair.found(inputs, outputs).stream()
            .filter(pair -> initialisers.containsKey(pair.input().name()))
            .map(StatePair::out)
            .toList();
    List<Port> others =
        IntStream.range(0, outputs.size())
            .filter(i -> !states.contains(i))
            .mapToObj(outputs::get)
            .toList();
    return new Graph(name, nodes, initialisers, inputs, others);
  }
}
