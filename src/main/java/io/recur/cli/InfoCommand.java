package io.recur.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code recur info}: shows what a file of a model or of weights holds. */
@Command(
    name = "info",
    description = {
      "Shows what a file holds: the structure of a model, its characters and training; or the"
          + " names, types and sizes of its tensors."
    },
    mixinStandardHelpOptions = true)
final class InfoCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "FILE",
      description =
          "Of recur train, of recur convert, of PyTorch (safetensors, .pt), ONNX or Keras.")
  private Path file = Path.of("");

  @Spec private CommandSpec spec;

  InfoCommand() {}

  @Override
  public Integer call() throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    try (ModelFile content = ModelFile.open(file)) {
      content.describe(out);
    }
    out.flush();
    return 0;
  }
}
