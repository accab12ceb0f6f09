package io.recur.cli;

import io.recur.device.Device;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.io.Npy;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code recur run}: answers of a model to a sequence. */
@Command(
    name = "run",
    description = {
      "Runs a model on a sequence and prints its answers, a line per step.",
      "Of an array, [time, batch, features] or [time, features]; an embedding takes [time, batch] or"
          + " [time] of indexes. Of a text, a line per step with values separated by commas."
    },
    mixinStandardHelpOptions = true)
final class RunCommand implements Callable<Integer> {
  /** Of a text. */
  private static final Series.Layout STEPS = new Series.Layout(true, false, false);

  @Parameters(
      paramLabel = "MODEL",
      description =
          "Of recur train, of recur convert, of PyTorch (safetensors, .pt), ONNX or Keras.")
  private Path model = Path.of("");

  @Option(
      names = "--input",
      required = true,
      paramLabel = "FILE",
      description = "x.npy, or a text of values such as x.csv; - is standard input, a text.")
  private Path input = Path.of("");

  @Option(
      names = "--output",
      paramLabel = "FILE",
      description = "y.npy, or a text; standard output unless given.")
  private @Nullable Path output;

  @Option(
      names = "--check",
      paramLabel = "FILE",
      description = "y.npy: prints the largest difference of the answers from y in their place.")
  private @Nullable Path check;

  @Option(
      names = "--stream",
      description = "Runs step after step, each answered when it is read; the state is kept.")
  private boolean stream;

  @Option(
      names = "--batch-first",
      description = "The array is [batch, time, …], as that of a graph that says so.")
  private boolean batchFirst;

  @Mixin private ModelOptions options = new ModelOptions();

  @Mixin private DeviceOptions devices = new DeviceOptions();

  @Spec private CommandSpec spec;

  RunCommand() {}

  @Override
  public Integer call() throws Exception {
    checkOutput();
    try (Device device = devices.open();
        ModelFile file = ModelFile.open(model);
        Tape tape = Tape.inference(device)) {
      LoadedModel loaded = file.load(device, options);
      if (stream) {
        loaded.requireStream();
      }
      if (check != null) {
        check(loaded, tape, Npy.read(check), check);
      } else if (input.toString().endsWith(".npy")) {
        run(loaded, tape, series(loaded));
      } else {
        run(loaded, tape);
      }
      return 0;
    }
  }

  /** Refuses to write over what is read. */
  private void checkOutput() throws IOException {
    for (Path read : List.of(model, input)) {
      if (output != null && Files.exists(output) && Files.exists(read)) {
        if (Files.isSameFile(output, read)) {
          throw new IllegalArgumentException(
              "--output %s is a file that is read; give it another name".formatted(output));
        }
      }
    }
  }

  private void check(LoadedModel loaded, Tape tape, Npy expected, Path y) throws IOException {
    if (stream || !input.toString().endsWith(".npy")) {
      throw new ParameterException(
          spec.commandLine(), "--check: need --input x.npy, and no --stream");
    }
    Series x = series(loaded);
    Tensor answer = answer(loaded, tape, x);
    Npy found = Series.array(x.layout(), answer.shape(), answer.toArray());
    PrintWriter lines = spec.commandLine().getOut();
    lines.println(Printable.of(Difference.of(found, expected, input, y)));
    lines.flush();
  }

  private Series series(LoadedModel loaded) throws IOException {
    return Series.of(Npy.read(input), loaded.classes(), isBatchFirst(loaded));
  }

  private boolean isBatchFirst(LoadedModel loaded) {
    return batchFirst || loaded.batchFirst();
  }

  private Answers answers(Series.Layout layout) {
    return new Answers(layout, output, spec.commandLine().getOut());
  }

  private void run(LoadedModel loaded, Tape tape, Series series) throws IOException {
    try (Answers answers = answers(series.layout())) {
      boolean isRead = true;
      for (int t = 0; stream && isRead && t < series.time(); t++) {
        isRead = answers.add(answer(loaded, tape, series.step(t)));
      }
      if (!stream) {
        answers.add(answer(loaded, tape, series));
      }
      answers.finish();
    }
  }

  private void run(LoadedModel loaded, Tape tape) throws IOException {
    try (CsvSteps steps = CsvSteps.open(input);
        Answers answers = answers(STEPS)) {
      List<float[]> whole = new ArrayList<>();
      boolean isRead = true;
      for (float[] step = steps.next(); isRead && step != null; step = steps.next()) {
        whole.add(step);
        if (stream) {
          isRead = answers.add(answer(loaded, tape, series(loaded, whole)));
          whole.clear();
        }
      }
      if (!whole.isEmpty()) {
        answers.add(answer(loaded, tape, series(loaded, whole)));
      }
      answers.finish();
    }
  }

  private Series series(LoadedModel loaded, List<float[]> steps) {
    int rows = steps.getFirst().length;
    if (loaded.classes() > 0 && rows > 1) {
      throw new IllegalArgumentException(
          "%s: %d values in a line; an embedding takes one index".formatted(input, rows));
    }
    float[] values = new float[Math.multiplyExact(rows, steps.size())];
    for (int t = 0; t < steps.size(); t++) {
      System.arraycopy(steps.get(t), 0, values, t * rows, rows);
    }
    return new Series(loaded.classes(), rows, 1, steps.size(), STEPS, values);
  }

  /** Runs steps on an empty tape. The answer is read before the tape is used again. */
  private Tensor answer(LoadedModel loaded, Tape tape, Series series) {
    tape.clear();
    return loaded.apply(tape, series, isBatchFirst(loaded));
  }
}
