package io.recur.cli;

import io.recur.io.StateDict;
import io.recur.io.StoredTensor;
import io.recur.nn.Chain;
import io.recur.nn.Layer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A model in words, for files that hold weights alone: its layers in the order in which they run,
 * such as {@code embedding encoder.embedding, lstm encoder.lstm layers=2, linear head, relu}.
 *
 * @param parts the layers
 */
record Description(List<Part> parts) {
  /**
   * Reads a description.
   *
   * @throws IllegalArgumentException if a layer is none; the message names it
   */
  static Description of(String text) {
    return new Description(Arrays.stream(text.split(",", -1)).map(Part::of).toList());
  }

  /** Imports the modules of a state dictionary. */
  Chain read(StateDict weights) throws IOException {
    List<Layer> layers = new ArrayList<>();
    for (Part part : parts) {
      layers.add(ModuleReader.read(part, weights));
    }
    return new Chain(layers);
  }

  /** Makes an untrained model of the sizes in a checkpoint. */
  Chain like(Map<String, StoredTensor> tensors) {
    CheckpointLayers layers = new CheckpointLayers(tensors);
    return new Chain(parts.stream().map(layers::next).toList());
  }

  /** {@return this description with what the tensors of a state dictionary tell} */
  Description completed(Map<String, StoredTensor> tensors) {
    return new Description(
        parts.stream().map(part -> ModuleReader.completed(part, tensors)).toList());
  }

  /** {@return the layers as {@link #of} reads them} */
  @Override
  public String toString() {
    return parts.stream().map(Part::toString).collect(Collectors.joining(", "));
  }
}
