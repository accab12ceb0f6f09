package io.recur.cli;

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

  boolean isPartly() {
    return partly;
  }

  boolean keepsBiases() {
    return keepBiases;
  }
}
