package io.recur.io;

import io.recur.device.Elementwise;
import io.recur.nn.BatchNorm;
import io.recur.nn.Chain;
import io.recur.nn.Conv1d;
import io.recur.nn.Dense;
import io.recur.nn.Embedding;
import io.recur.nn.Layer;
import io.recur.nn.LayerNorm;
import io.recur.nn.Recur;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The weights of a PyTorch model, read from its {@code state_dict}: a safetensors file, a file of
 * {@code torch.save} ({@code .pt}, {@code .pth}), or the index file of several. Each method builds
 * the layer of one module under the module's name in PyTorch.
 *
 * <pre>{@code
 * try (StateDict weights = StateDict.read(Path.of("model.pt"))) {
 *   Chain model = Layers.chain(weights.lstm("encoder.lstm"), weights.linear("head"));
 *   weights.requireAllMapped();
 *   model.on(device, 42);
 * }
 * }</pre>
 *
 * <p>A {@code .pt} file is read as data: no code in it runs, and a file that refers to anything but
 * tensors and dictionaries is refused. F16, BF16 and F64 are read into float32. A module is checked
 * as a whole before its first value is read. What a file does not hold is an argument, such as the
 * function of an RNN, or a setting of the layer, such as the stride of a convolution.
 *
 * <p>The layers keep their values on the heap until {@code on(device, seed)}, after which they need
 * the file no more. An initial state is zero and not trained, as in PyTorch; so are the biases of a
 * module without biases.
 */
public final class StateDict implements AutoCloseable {
  private final Path path;
  private final TorchSource source;
  private final Map<String, String> mapped = new LinkedHashMap<>();
  private final List<Imported> imported = new ArrayList<>();
  private boolean keepsBiases;

  /** A module and the layer that was built from it. */
  private record Imported(String name, Layer layer) {}

  private StateDict(Path path, TorchSource source) {
    this.path = path;
    this.source = source;
  }

  /**
   * Opens a file and reads the names and sizes of its tensors.
   *
   * @param path a file of safetensors, a file of {@code torch.save}, or an index in JSON that names
   *     for each tensor a file in the same folder
   * @return the weights, which the caller closes
   * @throws IOException if a file cannot be read
   * @throws IllegalArgumentException if a file is damaged, or holds more than tensors; the message
   *     says what, and how to save it
   */
  public static StateDict read(Path path) throws IOException {
    return new StateDict(path, TorchSource.open(path));
  }

  /**
   * Has the recurrent modules that are imported after this call keep both biases as parameters,
   * {@code b} and {@code bh}, in place of their sum. Training then changes both, as in PyTorch, and
   * {@link #save(Path)} returns each under its own name.
   *
   * @return this
   */
  public StateDict keepBiases() {
    keepsBiases = true;
    return this;
  }

  /** {@return all tensors of the file by name, unmodifiable; dimensions in reverse order} */
  public Map<String, StoredTensor> tensors() {
    return Collections.unmodifiableMap(source.tensors());
  }

  /**
   * Tells what was imported.
   *
   * @return one line per tensor, in the order of the calls, such as {@code head.weight F32[5, 10]
   *     -> W, transposed}
   */
  public List<String> report() {
    return List.copyOf(mapped.values());
  }

  /** {@return the names of the tensors that no call has taken, in the file's order} */
  public List<String> unmapped() {
    return source.tensors().keySet().stream().filter(name -> !mapped.containsKey(name)).toList();
  }

  /**
   * Throws if the file has a tensor that no call has taken. Call it after the last module.
   *
   * @throws IllegalArgumentException if there are some; the message lists them
   */
  public void requireAllMapped() {
    List<String> left = unmapped();
    if (!left.isEmpty()) {
      throw new IllegalArgumentException(
          "torch: %s: %d of %d tensors were not imported: %s; import their modules, or do not ask"
                  .formatted(
                      path,
                      left.size(),
                      source.tensors().size(),
                      TorchModule.listed(left.stream().map(PlainJson::shown).toList()))
              + " for all");
    }
  }

  private TorchModule module(String kind, String name) {
    Objects.requireNonNull(name, "name");
    String where = "torch: %s: %s %s".formatted(path, kind, PlainJson.shown(name));
    return new TorchModule(where, name, source.tensors());
  }

  private Chain stack(String kind, String name, TorchNames.Kind of, Elementwise function)
      throws IOException {
    TorchModule module = module(kind, name);
    return taken(
        module, new Chain(new TorchRecurrent(module, of, function, false, keepsBiases).read()));
  }

  private Recur cell(String kind, String name, TorchNames.Kind of, Elementwise function)
      throws IOException {
    TorchModule module = module(kind, name);
    return taken(module, new TorchRecurrent(module, of, function, true, keepsBiases).readCell());
  }

  /**
   * Imports an {@code nn.RNN} with any number of layers and one direction or two, with tanh.
   *
   * @param name the module's name, such as {@code encoder.rnn}; empty for a file of this module
   * @return one {@link io.recur.nn.RNNCell} per layer and direction, in order
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException if tensors are missing, surplus or of other sizes; the message
   *     lists all of them with what is expected
   */
  public Chain rnn(String name) throws IOException {
    return rnn(name, Elementwise.TANH);
  }

  /**
   * Imports an {@code nn.RNN} with another function.
   *
   * @param name the module's name
   * @param function its nonlinearity, which the file does not tell
   * @return one {@link io.recur.nn.RNNCell} per layer and direction, in order
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException as {@link #rnn(String)} does
   */
  public Chain rnn(String name, Elementwise function) throws IOException {
    return stack("nn.RNN", name, TorchNames.Kind.RNN, Objects.requireNonNull(function, "function"));
  }

  /**
   * Imports an {@code nn.LSTM} with any number of layers, one direction or two, with or without
   * {@code proj_size}.
   *
   * @param name the module's name; empty for a file of this module
   * @return one {@link io.recur.nn.LSTMCell} per layer and direction, or {@link
   *     io.recur.nn.cells.ProjectedLSTMCell}
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException as {@link #rnn(String)} does
   */
  public Chain lstm(String name) throws IOException {
    return stack("nn.LSTM", name, TorchNames.Kind.LSTM, Elementwise.TANH);
  }

  /**
   * Imports an {@code nn.GRU} with any number of layers and one direction or two.
   *
   * @param name the module's name; empty for a file of this module
   * @return one {@link io.recur.nn.GRUCell} per layer and direction, with the candidate's recurrent
   *     bias
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException as {@link #rnn(String)} does
   */
  public Chain gru(String name) throws IOException {
    return stack("nn.GRU", name, TorchNames.Kind.GRU, Elementwise.TANH);
  }

  /**
   * Imports an {@code nn.RNNCell}.
   *
   * @param name the module's name
   * @param function its nonlinearity, {@code TANH} unless it was set in PyTorch
   * @return a Recur over the cell
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException as {@link #rnn(String)} does
   */
  public Recur rnnCell(String name, Elementwise function) throws IOException {
    Objects.requireNonNull(function, "function");
    return cell("nn.RNNCell", name, TorchNames.Kind.RNN, function);
  }

  /**
   * Imports an {@code nn.LSTMCell}.
   *
   * @param name the module's name
   * @return a Recur over the cell
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException as {@link #rnn(String)} does
   */
  public Recur lstmCell(String name) throws IOException {
    return cell("nn.LSTMCell", name, TorchNames.Kind.LSTM, Elementwise.TANH);
  }

  /**
   * Imports an {@code nn.GRUCell}.
   *
   * @param name the module's name
   * @return a Recur over the cell
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException as {@link #rnn(String)} does
   */
  public Recur gruCell(String name) throws IOException {
    return cell("nn.GRUCell", name, TorchNames.Kind.GRU, Elementwise.TANH);
  }

  /**
   * Imports an {@code nn.Linear}.
   *
   * @param name the module's name
   * @return the layer, without a function
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException as {@link #rnn(String)} does
   */
  public Dense linear(String name) throws IOException {
    return linear(name, Elementwise.IDENTITY);
  }

  /**
   * Imports an {@code nn.Linear} and the function that follows it.
   *
   * @param name the module's name
   * @param function σ
   * @return the layer
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException as {@link #rnn(String)} does
   */
  public Dense linear(String name, Elementwise function) throws IOException {
    Objects.requireNonNull(function, "function");
    TorchModule module = module("nn.Linear", name);
    return taken(module, TorchLayers.linear(module, function));
  }

  /**
   * Imports an {@code nn.Embedding}.
   *
   * @param name the module's name
   * @return the layer, which takes {@linkplain io.recur.grad.OneHot one-hot} columns
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException as {@link #rnn(String)} does
   */
  public Embedding embedding(String name) throws IOException {
    TorchModule module = module("nn.Embedding", name);
    return taken(module, TorchLayers.embedding(module));
  }

  /**
   * Imports an {@code nn.LayerNorm} over one dimension, with ε = 10⁻⁵.
   *
   * @param name the module's name
   * @return the layer
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException as {@link #rnn(String)} does
   */
  public LayerNorm layerNorm(String name) throws IOException {
    return layerNorm(name, LayerNorm.EPSILON);
  }

  /**
   * Imports an {@code nn.LayerNorm} over one dimension.
   *
   * @param name the module's name
   * @param epsilon its {@code eps}, which the file does not tell
   * @return the layer
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException as {@link #rnn(String)} does
   */
  public LayerNorm layerNorm(String name, float epsilon) throws IOException {
    TorchModule module = module("nn.LayerNorm", name);
    return taken(module, TorchLayers.layerNorm(module, epsilon));
  }

  /**
   * Imports an {@code nn.Conv1d}. Its stride, padding and dilation are settings of the result.
   *
   * @param name the module's name
   * @param groups its groups, which the file does not tell; 1 unless set in PyTorch
   * @return the layer, of stride 1, without padding, of dilation 1
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException as {@link #rnn(String)} does, and if the groups do not divide
   *     the outputs
   */
  public Conv1d conv1d(String name, int groups) throws IOException {
    TorchModule module = module("nn.Conv1d", name);
    return taken(module, TorchLayers.conv1d(module, groups));
  }

  /**
   * Imports an {@code nn.BatchNorm1d} with ε = 10⁻⁵ and a momentum of 0.1.
   *
   * @param name the module's name
   * @return the layer
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException as {@link #rnn(String)} does
   */
  public BatchNorm batchNorm(String name) throws IOException {
    return batchNorm(name, BatchNorm.EPSILON, BatchNorm.MOMENTUM);
  }

  /**
   * Imports an {@code nn.BatchNorm1d}.
   *
   * @param name the module's name
   * @param epsilon its {@code eps}, which the file does not tell
   * @param momentum its {@code momentum}, which the file does not tell
   * @return the layer
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException as {@link #rnn(String)} does
   */
  public BatchNorm batchNorm(String name, float epsilon, float momentum) throws IOException {
    TorchModule module = module("nn.BatchNorm1d", name);
    return taken(module, TorchLayers.batchNorm(module, epsilon, momentum));
  }

  /** Notes what a call has read, after it has succeeded. */
  private <L extends Layer> L taken(TorchModule module, L layer) {
    mapped.putAll(module.mapped());
    imported.add(new Imported(module.name(), layer));
    return layer;
  }

  /**
   * Writes this file again with what the imported layers hold now: every tensor keeps its name,
   * sizes and element type, and a tensor that no call took keeps its bytes. In PyTorch, {@code
   * model.load_state_dict(load_file(path), strict=True)} takes it, and of a {@code .pt} file {@code
   * model.load_state_dict(torch.load(path), strict=True)}.
   *
   * <p>A value that was not trained returns with the bits that it had. Two biases return as their
   * sum and 0; a GRU's {@code bh} is part of the second one. After {@link #keepBiases} each returns
   * as it is.
   *
   * @param target the file to write: one of {@code torch.save} where its name ends in {@code .pt}
   *     or {@code .pth}, safetensors otherwise; replaced as {@link Safetensors#write} does
   * @throws IOException if a file cannot be read or written
   * @throws IllegalArgumentException if a layer is on no device or was imported twice, or if an
   *     initial state is not zero; nothing is then written
   * @throws IllegalStateException if this file is closed and has a tensor that no call took, or one
   *     of F64
   */
  public void save(Path target) throws IOException {
    TorchExport export = new TorchExport(source.tensors());
    imported.forEach(
        module -> export.add(module.name(), module.layer(), module.layer() instanceof Recur));
    Map<String, StoredTensor> tensors = new LinkedHashMap<>(source.tensors());
    tensors.putAll(export.tensors());
    TorchWriter.write(target, tensors);
  }

  /**
   * Writes layers as modules of PyTorch, in F32. A Recur or a chain of Recurs becomes {@code
   * nn.RNN}, {@code nn.LSTM} or {@code nn.GRU} with as many layers, a chain of Bidirectional layers
   * one of two directions.
   *
   * @param target the file to write, as {@link #save(Path)} does
   * @param modules layers that are placed on a device, by the names of their modules
   * @param cells which of these names are an {@code nn.RNNCell}, {@code nn.LSTMCell} or {@code
   *     nn.GRUCell} in PyTorch; each is a Recur
   * @throws IOException if the file cannot be written
   * @throws IllegalArgumentException if PyTorch has no such module, if a layer is on no device, or
   *     if an initial state is not zero; nothing is then written
   */
  public static void save(Path target, Map<String, ? extends Layer> modules, String... cells)
      throws IOException {
    TorchWriter.write(target, TorchExport.of(modules, List.of(cells)).tensors());
  }

  /** Closes the file. Layers that were imported stay. */
  @Override
  public void close() throws IOException {
    source.close();
  }
}
