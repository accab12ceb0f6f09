package io.recur.cli;

import io.recur.device.Device;
import io.recur.io.Safetensors;
import io.recur.io.Weights;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code recur info}: shows what a file of {@code recur train} holds. */
@Command(
    name = "info",
    description = "Shows a trained model: its structure, characters and training.",
    mixinStandardHelpOptions = true)
final class InfoCommand implements Callable<Integer> {
  @Parameters(paramLabel = "FILE", description = "Of recur train.")
  private Path file = Path.of("");

  @Spec private CommandSpec spec;

  InfoCommand() {}

  @Override
  public Integer call() throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    try (Device device = Device.cpu();
        Safetensors content = CharacterModel.file(file)) {
      CharacterModel model = CharacterModel.like(file, content, device);
      Weights.load(file, content, model.chain());
      out.println(model.chain());
      out.println();
      out.printf(
          Locale.ROOT,
          "vocabulary: %d characters: %s%n",
          model.vocabulary().size(),
          model.vocabulary().printable());
      for (Map.Entry<String, String> fact : Weights.facts(content).entrySet()) {
        if (!fact.getKey().equals("vocabulary") && !Curve.isFact(fact.getKey())) {
          out.println(Printable.of(fact.getKey()) + ": " + Printable.of(fact.getValue()));
        }
      }
      out.flush();
      return 0;
    }
  }
}
