package io.recur.cli;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options that say what a file of weights does not. */
final class ModelOptions {
  @Option(
      names = "--as",
      paramLabel = "LAYERS",
      description = {
        "The model, where the file holds weights alone: its layers in the order in which they run,"
            + " such as 'embedding encoder.embedding, lstm encoder.lstm, linear head, relu'.",
        "'recur info' shows what the file's names and sizes look like."
      })
  private @Nullable String layers;

  @Option(names = "--partly", description = "Leaves out what LAYERS do not name.")
  private boolean partly;

  @Option(
      names = "--keep-biases",
      description = "Keeps both biases of PyTorch's recurrent modules, in place of their sum.")
  private boolean keepBiases;

  @Option(
      names = "--fix",
      paramLabel = "INPUT=VALUE",
      description = {
        "Fixes an input of a graph of ONNX that is not the sequence, to a number or an array x.npy,"
            + " such as sr=16000; it may be given again."
      })
  private Map<String, String> fixed = new LinkedHashMap<>();

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  ModelOptions() {}

  /**
   * {@return the model as the option says, or null}
   *
   * @throws ParameterException if it says no model
   */
  @Nullable Description description() {
    try {
      return layers == null ? null : Description.of(layers);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), "--as: " + e.getMessage(), e);
    }
  }

  /** {@return the values of inputs that are fixed, by name} */
  Map<String, String> fixed() {
    return fixed;
  }

  /** Refuses inputs that are fixed, for a file that is no graph. */
  void refuseFixed(Path path) {
    if (!fixed.isEmpty()) {
      throw new IllegalArgumentException(
          "%s: only a graph of ONNX has inputs to fix; leave --fix %s out"
              .formatted(path, String.join(", ", fixed.keySet())));
    }
  }

  boolean isPartly() {
    return partly;
  }

  boolean keepsBiases() {
    return keepBiases;
  }
}
