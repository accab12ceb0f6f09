package io.recur.io.onnx;

import io.recur.device.Device;
import io.recur.device.OneThread;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.AllOrNone;
import io.recur.nn.Chain;
import io.recur.nn.Layer;
import io.recur.nn.Recur;
import io.recur.nn.State;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A model of an ONNX file: a graph whose initialisers are parameters and whose states are those of
 * Recurs. It is a {@link Layer}: it can be trained, forked, saved and put into a {@link
 * io.recur.nn.Chain}.
 *
 * <p><b>States carry.</b> The state of a recurrent node whose initial state is not computed carries
 * over from call to call, and so does a state that the graph takes as an input and gives as an
 * output. {@link #reset} begins a new sequence; ONNX's own runtimes begin one with every call.
 *
 * <pre>{@code
 * OnnxModel speech = OnnxModel.read(Path.of("speech.onnx")).on(device, 42);
 * Value samples = Value.of(Dims.of(1, 576), new float[576]);
 * float[] y = speech.run(tape, Map.of("input", samples)).get("output").floats();
 * speech.reset();                                       // another stream begins
 * }</pre>
 *
 * <p>The file is checked as a whole before a model is made: a node of an unknown operator, or with
 * an attribute that is not computed, is refused by its name. Floats of every size become float32.
 */
public final class OnnxModel implements Layer {
  private final Body body;
  private final List<Port> outputs;
  private final List<Parameter> parameters;
  private final List<Recur> recurs;
  private final List<String> notes;
  private final @Nullable Carrier carrier;
  private final Skeleton skeleton;
  private final Arguments arguments;
  private final AllOrNone states = new AllOrNone(this);
  private final OneThread mark =
      new OneThread("OnnxModel", "give each thread a fork of the model (model.fork())");

  private OnnxModel(
      Body body,
      List<Parameter> parameters,
      List<Recur> recurs,
      List<String> notes,
      @Nullable Carrier carrier,
      Skeleton skeleton) {
    this.body = body;
    this.outputs = body.graph().outputs();
    this.parameters = parameters;
    this.recurs = recurs;
    this.notes = notes;
    this.carrier = carrier;
    this.skeleton = skeleton;
    this.arguments = new Arguments(body.ports(), states().keySet());
  }

  /**
   * Reads a model.
   *
   * @param path a file of ONNX; tensors in other files must be in its folder
   * @return the model, whose parameters get their memory by {@link #on}
   * @throws IOException if a file cannot be read
   * @throws IllegalArgumentException if the file is damaged, or has what is not read; the message
   *     names the node
   */
  public static OnnxModel read(Path path) throws IOException {
    return read(path, Map.of());
  }

  /**
   * Reads a model with the values of some inputs, such as a sample rate: what they decide is
   * decided now, and the branches that they exclude need not be readable.
   *
   * @param path a file of ONNX
   * @param fixed values on the host by the names of inputs, which the model has no more
   * @return the model
   * @throws IOException if a file cannot be read
   * @throws IllegalArgumentException as {@link #read(Path)} does, and if there is no such input
   */
  public static OnnxModel read(Path path, Map<String, Value> fixed) throws IOException {
    return GraphFile.read(path, graph -> of(graph, fixed));
  }

  /**
   * Reads a graph that is a straight line of layers as a chain of these: recurrent nodes, products
   * with their biases and functions, convolutions over time, embeddings, normalisations of layers,
   * and nodes between them that only rearrange dimensions. States that begin from constants and are
   * outputs too, as in what {@link OnnxExport} writes, are those of the Recurs.
   *
   * <pre>{@code
   * Chain tagger = OnnxModel.readChain(Path.of("tagger.onnx")).on(device, 42);
   * Chain longer = chain(tagger, dense(5, 2)).on(device, 43);
   * }</pre>
   *
   * @param path a file of ONNX whose input is {@code [time, batch, features]} or in another order;
   *     an embedding takes one-hot columns in place of indexes
   * @return the layers, which take and give features × batch × time
   * @throws IOException if a file cannot be read
   * @throws IllegalArgumentException as {@link #read(Path)} does, and if a node is no such layer or
   *     does not follow the one before it; the message names it
   */
  public static Chain readChain(Path path) throws IOException {
    return GraphFile.read(
        path,
        graph -> {
          Parts parts = new Parts(values(graph));
          Binding binding = new Binding(graph.withoutStates(), Map.of(), Set.of(), parts);
          return StraightLine.of(binding, binding.body(), parts.recurs());
        });
  }

  private static OnnxModel of(Graph graph, Map<String, Value> fixed) {
    GraphFile.check(graph, fixed);
    List<Port> open =
        graph.inputs().stream().filter(port -> !fixed.containsKey(port.name())).toList();
    Set<String> states =
        StatePair.found(open, graph.outputs()).stream()
            .map(pair -> pair.input().name())
            .collect(Collectors.toSet());
    Parts parts = new Parts(values(graph));
    Body body = new Binding(graph, fixed, states, parts).body();
    return new OnnxModel(
        body,
        parts.parameters(),
        parts.recurs(),
        parts.notes(),
        Carrier.of(body, graph),
        new Skeleton(graph, fixed, parts.replaced()));
  }

  private static long values(Graph graph) {
    return graph.initialisers().values().stream().mapToLong(value -> value.dims().count()).sum();
  }

  /**
   * The graph without the values of its parameters, as a file of weights keeps it.
   *
   * @return text for {@link #ofSkeleton}, some bytes for each node, and constants that are no
   *     parameters
   */
  public String skeleton() {
    return skeleton.text();
  }

  /**
   * Builds the model of a graph without values.
   *
   * @param text a {@link #skeleton}
   * @param states those of {@link #states}
   * @param most the number of values that all parameters may have, which bounds the memory
   * @return a model whose weights are zeros
   * @throws IllegalArgumentException if the text is no skeleton, or of more values
   */
  public static OnnxModel ofSkeleton(String text, Map<String, String> states, long most) {
    OnnxModel model = of(Skeleton.read(text, most), Map.of());
    for (Map.Entry<String, String> pair : states.entrySet()) {
      if (!pair.getValue().equals(model.states().get(pair.getKey()))) {
        model = model.carry(pair.getKey(), pair.getValue());
      }
    }
    return model;
  }

  /**
   * Carries a state that names do not tell.
   *
   * @param input the input that takes it: of floats whose sizes are known but for that of the batch
   * @param output the output that gives the next one
   * @return a model over the same weights, with states of its own that begin with zeros
   * @throws IllegalArgumentException if they do not fit each other
   */
  public OnnxModel carry(String input, String output) {
    StatePair pair = StatePair.of(body.ports(), outputs, input, output);
    List<StatePair> pairs = new ArrayList<>();
    List<Parameter> state0 = new ArrayList<>();
    for (int i = 0; i < pairs().size(); i++) {
      StatePair other = pairs().get(i);
      if (other.in() != pair.in() && other.out() != pair.out()) {
        pairs.add(other);
        state0.add(Objects.requireNonNull(carrier).state0().get(i));
      }
    }
    pairs.add(pair);
    state0.add(Carrier.state0(pair, null));
    if (StatePair.isMixed(pairs)) {
      throw new IllegalArgumentException(
          "onnx: carry: %s; need an open size, that of the batch, in all states or in none"
              .formatted(pairs.stream().map(StatePair::input).toList()));
    }
    List<Recur> forks = recurs.stream().map(Recur::fork).toList();
    Carrier carried = new Carrier(List.copyOf(pairs), List.copyOf(state0));
    return new OnnxModel(body, parameters, forks, notes, carried, skeleton);
  }

  private List<StatePair> pairs() {
    return carrier == null ? List.of() : carrier.pairs();
  }

  /** {@return the inputs that a call gives, without the states that are carried} */
  public List<Port> inputs() {
    return body.ports().stream()
        .filter(port -> pairs().stream().noneMatch(pair -> pair.input().equals(port)))
        .toList();
  }

  /** {@return whether a recurrent node runs back, so that a step needs those that follow} */
  public boolean runsBack() {
    return body.graph().runsBack();
  }

  /** {@return all outputs, the states included} */
  public List<Port> outputs() {
    return outputs;
  }

  /** {@return the states that are carried: the name of each input to that of its output} */
  public Map<String, String> states() {
    Map<String, String> states = new LinkedHashMap<>();
    pairs().forEach(pair -> states.put(pair.input().name(), outputs.get(pair.out()).name()));
    return states;
  }

  /**
   * {@return a line for each node that became a layer, such as {@code "/lstm/LSTM" ("LSTM") -> …}}
   */
  public List<String> report() {
    return notes;
  }

  /**
   * Runs the graph.
   *
   * @param tape where it computes: one that records, to train, or one for inference
   * @param given the {@linkplain #inputs inputs} by name. All states may be given too: the call
   *     then begins from these.
   * @return all outputs by name; those on the tape last until it is cleared
   * @throws IllegalArgumentException if an input is missing, unknown, or of another type or size; a
   *     node that refuses its inputs is named
   * @throws IllegalStateException if a parameter has no memory yet, or another thread is inside
   */
  public Map<String, Value> run(Tape tape, Map<String, Value> given) {
    try (var _ = mark.enterOnce();
        var _ = tape.enter()) {
      Value[] inputs = arguments.of(tape, given);
      List<Value> results = states.call(() -> results(tape, inputs));
      Map<String, Value> named = new LinkedHashMap<>();
      for (int i = 0; i < results.size(); i++) {
        named.put(outputs.get(i).name(), results.get(i));
      }
      return named;
    }
  }

  /** Runs the graph with its inputs; null for states that are carried. */
  private List<Value> results(Tape tape, Value... inputs) {
    Execution execution = new Execution(tape, recurs);
    if (carrier == null) {
      return body.run(execution, null, List.of(inputs));
    }
    List<StatePair> pairs = carrier.pairs();
    Map<Port, Dims> others = new LinkedHashMap<>();
    for (int i = 0; i < inputs.length; i++) {
      if (inputs[i] != null) {
        others.put(body.ports().get(i), inputs[i].dims());
      }
    }
    StatePair first = pairs.getFirst();
    if (inputs[first.in()] != null) {
      List<Value> results = body.run(execution, null, List.of(inputs));
      carrier.keep(next(results, first.batchOf(inputs[first.in()].dims())));
      return results;
    }
    List<Value> results = new ArrayList<>();
    int batch = carrier.batch(others);
    carrier.run(
        tape,
        batch,
        state -> {
          for (int i = 0; i < pairs.size(); i++) {
            inputs[pairs.get(i).in()] = pairs.get(i).given(state.parts().get(i));
          }
          results.addAll(body.run(execution, null, List.of(inputs)));
          return next(results, batch);
        });
    return results;
  }

  private State next(List<Value> results, int batch) {
    return new State(
        pairs().stream().map(pair -> pair.kept(results.get(pair.out()), batch)).toList());
  }

  /**
   * Runs the graph as a layer: its one input is x, and its first output the result.
   *
   * @param x features × batch × time, which is {@code [time, batch, features]}. Where the graph
   *     takes more dimensions than x has, x is one step, or one sequence of one step.
   * @return the first output, of at most three dimensions; of one step where x is one
   * @throws IllegalArgumentException if the graph has another number of inputs, see {@link
   *     #read(Path, Map)}, or refuses x
   */
  @Override
  public Tensor apply(Tensor x) {
    List<Port> open = inputs();
    if (open.size() != 1 || open.getFirst().type().isInteger()) {
      throw new IllegalArgumentException(
          "onnx: apply: the graph takes %s; need one input of floats: call run(…), or fix the others"
                  .formatted(open)
              + " in read(path, fixed)");
    }
    Tape tape = x.tape();
    if (tape == null) {
      throw new IllegalStateException("onnx: apply: x is on no tape; give tape.use(x)");
    }
    Port port = open.getFirst();
    Value given = Value.of(ofRank(x, port.isShaped() ? port.sizes().size() : x.shape().rank()));
    Value y = run(tape, Map.of(port.name(), given)).get(outputs.getFirst().name());
    if (!(y instanceof Value.OnTape on) || y.dims().rank() > 3) {
      throw new IllegalArgumentException(
          "onnx: apply: output %s is %s; need floats of at most 3 dimensions: call run(…)"
              .formatted(outputs.getFirst(), y.dims()));
    }
    Tensor result = on.tensor();
    Shape shape = result.shape();
    boolean isOneStep = x.shape().rank() < shape.rank() && shape.time() == 1;
    return isOneStep && x.shape().rank() == 2
        ? result.reshape(Shape.of(shape.rows(), shape.batch()))
        : isOneStep && shape.batch() == 1 ? result.reshape(Shape.of(shape.rows())) : result;
  }

  private static Tensor ofRank(Tensor x, int rank) {
    Shape shape = x.shape();
    return rank <= shape.rank() || rank > 3
        ? x
        : x.reshape(new Shape(rank, shape.rows(), shape.batch(), 1));
  }

  // A layer.

  @Override
  public List<Parameter> own() {
    return parameters;
  }

  @Override
  public List<Layer> layers() {
    List<Layer> layers = new ArrayList<>(recurs);
    if (carrier != null) {
      layers.add(carrier.recur());
    }
    return List.copyOf(layers);
  }

  @Override
  public OnnxModel on(Device device, long seed) {
    Layer.super.on(device, seed);
    return this;
  }

  @Override
  public OnnxModel fork() {
    return (OnnxModel) Layer.super.fork();
  }

  @Override
  public Layer fork(Fork fork) {
    List<Recur> forks = recurs.stream().map(recur -> (Recur) fork.of(recur)).toList();
    Carrier carried = carrier == null ? null : carrier.fork();
    return new OnnxModel(body, parameters, forks, notes, carried, skeleton);
  }

  @Override
  public String describe() {
    return "OnnxModel(%s, %d nodes)".formatted(body.graph().name(), body.steps().size());
  }

  /** {@return what it takes, gives and carries} */
  @Override
  public String toString() {
    return "%s: %s -> %s, states %s".formatted(describe(), inputs(), outputs, states());
  }
}
