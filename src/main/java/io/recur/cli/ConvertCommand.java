package io.recur.cli;

import io.recur.device.Device;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.io.Npy;
import io.recur.io.onnx.OnnxExport;
import io.recur.io.onnx.OnnxModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code recur convert}: a model of one kind of file as one of another. */
@Command(
    name = "convert",
    description = {
      "Writes the model or the weights of a file as another kind of file, and prints what became"
          + " what.",
      "Reads and writes safetensors, .pt and .pth of PyTorch, graphs of ONNX, checkpoints of Recur;"
          + " reads .keras and .h5 of Keras."
    },
    mixinStandardHelpOptions = true)
final class ConvertCommand implements Callable<Integer> {
  /** What is written. */
  private enum Target {
    checkpoint,
    state_dict,
    onnx;

    @Override
    public String toString() {
      return name().replace('_', '-');
    }
  }

  @Parameters(paramLabel = "IN", description = "The file to read; its content tells its kind.")
  private Path in = Path.of("");

  @Parameters(paramLabel = "OUT", description = "The file to write.")
  private Path out = Path.of("");

  @Option(
      names = "--to",
      paramLabel = "KIND",
      description = {
        "state-dict: the names of PyTorch's modules, as torch.save writes them where OUT ends in .pt"
            + " or .pth, else safetensors; checkpoint: Recur's, with the model.",
        "onnx: a graph with the states as inputs and outputs.",
        "Unless given, .pt and .pth are a state-dict, .onnx a graph, and another OUT a checkpoint"
            + " where the model is known."
      })
  private @Nullable String to;

  @Option(
      names = "--check",
      arity = "2",
      paramLabel = "FILE",
      description = "x.npy and y.npy: prints the largest difference of the answers to x from y.")
  private List<Path> check = List.of();

  @Option(
      names = "--batch-first",
      description = "The arrays are [batch, time, …], as those of a graph that says so.")
  private boolean batchFirst;

  @Option(
      names = "--zero-states",
      description = "Sets trained initial states to zero, since PyTorch's modules have none.")
  private boolean zeroStates;

  @Option(names = "--force", description = "Replaces OUT where it exists.")
  private boolean force;

  @Mixin private ModelOptions options = new ModelOptions();

  @Mixin private DeviceOptions devices = new DeviceOptions();

  @Spec private CommandSpec spec;

  ConvertCommand() {}

  @Override
  public Integer call() throws Exception {
    Target named = target();
    if (!force && Files.exists(out, LinkOption.NOFOLLOW_LINKS)) {
      throw new FileSystemException(
          out.toString(), null, "it exists; name another file, or replace it with --force");
    }
    try (Device device = devices.open();
        ModelFile file = ModelFile.open(in)) {
      boolean isModelKnown = !(file instanceof StateDictFile) || options.description() != null;
      Target target = named != null ? named : isModelKnown ? Target.checkpoint : Target.state_dict;
      if (file instanceof StateDictFile weights
          && target == Target.state_dict
          && !isModelKnown
          && check.isEmpty()) {
        weights.save(out); // every tensor as it is
        say("%d tensors written to %s", weights.weights().tensors().size(), out);
      } else {
        LoadedModel model = file.load(device, options);
        if (target == Target.checkpoint) {
          model.requireDescribed(in);
        } else if (model.layer() instanceof OnnxModel) {
          throw new IllegalArgumentException(
              "%s: a graph that is no chain of layers becomes a checkpoint alone; name a file that"
                      .formatted(in)
                  + " ends in .safetensors");
        }
        model.report().forEach(line -> say("%s", line));
        if (zeroStates) {
          model.zeroStates();
        }
        check(device, model);
        write(file, model, target);
        say("written to %s, kind %s", out, target);
      }
      return 0;
    }
  }

  /** {@return what the option or the name of the file says; null if both say nothing} */
  private @Nullable Target target() {
    String name = out.toString().toLowerCase(Locale.ROOT);
    if (name.endsWith(".keras") || name.endsWith(".h5")) {
      throw new ParameterException(
          spec.commandLine(),
          "%s: files of Keras are read and not written; name it .safetensors, .pt or .onnx"
              .formatted(out));
    }
    if (to == null) {
      boolean isTorch = name.endsWith(".pt") || name.endsWith(".pth");
      return isTorch ? Target.state_dict : name.endsWith(".onnx") ? Target.onnx : null;
    }
    return Arrays.stream(Target.values())
        .filter(target -> target.toString().equals(to))
        .findFirst()
        .orElseThrow(
            () ->
                new ParameterException(
                    spec.commandLine(),
                    "--to=%s; need one of %s".formatted(to, Arrays.toString(Target.values()))));
  }

  private void say(String message, Object... facts) {
    PrintWriter lines = spec.commandLine().getOut();
    lines.println(Printable.of(message.formatted(facts)));
    lines.flush();
  }

  private void check(Device device, LoadedModel model) throws IOException {
    if (check.isEmpty()) {
      return;
    }
    boolean isBatchFirst = batchFirst || model.batchFirst();
    Series x = Series.of(Npy.read(check.getFirst()), model.classes(), isBatchFirst);
    Npy expected = Npy.read(check.getLast());
    try (Tape tape = Tape.inference(device)) {
      Tensor y = model.apply(tape, x, isBatchFirst);
      Npy found = Series.array(x.layout(), y.shape(), y.toArray());
      model.layer().reset(); // a checkpoint has the states that it had
      say("%s", Difference.of(found, expected, check.getFirst(), check.getLast()));
    }
  }

  private void write(ModelFile file, LoadedModel model, Target target) throws IOException {
    switch (target) {
      case checkpoint -> model.saveCheckpoint(out);
      case onnx -> OnnxExport.of(model.layer()).write(out);
      case state_dict -> {
        if (file instanceof StateDictFile weights) {
          weights.save(out); // in the types of the file
        } else {
          model.saveStateDict(out);
        }
      }
    }
  }
}
