package io.recur.cli;

import io.recur.device.Device;
import io.recur.io.Safetensors;
import io.recur.nn.Sampler;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code recur sample}: writes text with a trained model. */
@Command(
    name = "sample",
    description = {
      "Writes text with a trained model, character by character.",
      "Where its reader has enough and closes the pipe, as head does, it ends with status 0."
    },
    mixinStandardHelpOptions = true,
    showDefaultValues = true)
final class SampleCommand implements Callable<Integer> {
  @Option(names = "--model", required = true, paramLabel = "FILE", description = "Of recur train.")
  private Path model = Path.of("");

  @Option(names = "--prime", paramLabel = "TEXT", description = "What the text begins with.")
  private String prime = "";

  @Option(names = "--length", paramLabel = "N", description = "Characters to write.")
  private int length = 500;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description = "Below 1: more likely characters; 0: always the likeliest.")
  private double temperature = 0.8;

  @Option(
      names = "--top-k",
      paramLabel = "N",
      description = "Draws from the N likeliest characters; from all without it.")
  private @Nullable Integer topK;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      description = "Draws from the fewest likeliest characters whose probabilities sum to P.")
  private double topP = 1;

  @Option(names = "--seed", paramLabel = "N", description = "The same seed gives the same text.")
  private long seed;

  @Mixin private DeviceOptions options = new DeviceOptions();

  @Spec private CommandSpec spec;

  SampleCommand() {}

  @Override
  public Integer call() throws Exception {
    check();
    try (Device device = options.open();
        Safetensors file = CharacterModel.file(model)) {
      CharacterModel loaded = CharacterModel.load(model, file, device);
      Sampler sampler = Sampler.of(temperature).withTopP(topP);
      sampler = topK == null ? sampler : sampler.withTopK(topK);
      loaded.sample(device, prime, length, sampler, seed, spec.commandLine().getOut());
      return 0;
    }
  }

  private void check() {
    if (length < 0 || !(temperature >= 0 && temperature < Double.POSITIVE_INFINITY)) {
      throw new ParameterException(
          spec.commandLine(),
          "--length=%d, --temperature=%s: need 0 or more of each".formatted(length, temperature));
    }
    if (topK != null && topK < 1 || !(topP > 0 && topP <= 1)) {
      throw new ParameterException(
          spec.commandLine(),
          "--top-k=%s, --top-p=%s: need 1 or more characters, and a probability above 0 and up to 1"
              .formatted(topK == null ? "all" : topK, topP));
    }
  }
}
