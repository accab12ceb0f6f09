package io.recur.train;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.MeanSquaredError;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Chain;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a user of the library sees of a training: a bar within each pass, and a curve. */
class FitShownTest {
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);
  @TempDir private Path folder;

  private final Chain model = chain(dense(2, 1));

  private static Tensor loss(Chain model, Tape on, int... examples) {
    float[] x = new float[2 * examples.length];
    float[] y = new float[examples.length];
    for (int j = 0; j < y.length; j++) {
      x[2 * j] = examples[j];
      x[2 * j + 1] = 1;
      y[j] = 3 * examples[j] - 1;
    }
    return MeanSquaredError.meanSquaredError(
        model.apply(on.input(Shape.of(2, y.length), x)), on.input(Shape.of(1, y.length), y));
  }

  private Fit fit() {
    Batches train = Batches.shuffled(7, 1, (on, examples) -> loss(model, on, examples));
    Batches validation = Batches.inOrder(3, 3, (on, examples) -> loss(model, on, examples));
    return new Trainer(model.on(device, 1), new Sgd(0.01f), tape)
        .accumulate(2)
        .clipNorm(1)
        .fit(train, validation);
  }

  /** What a call writes. */
  private static String written(Consumer<PrintStream> call) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    call.accept(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Test
  void eachPassHasABarOfItsSteps() {
    List<Fit.Pass> passes = new ArrayList<>();
    String err = written(out -> fit().progressBar(out).progress(passes::add).run(3));
    assertEquals(3, passes.size());
    List<String> bars = Stream.of(err.split("[\r\n]+")).toList();
    for (int pass = 1; pass <= 3; pass++) {
      String done = "pass " + pass + " 100% [";
      String what = err;
      String bar = bars.stream().filter(line -> line.startsWith(done)).findAny().orElse("");
      assertTrue(bar.contains("4/4 steps") && bar.contains("loss "), what); // 7 batches, 2 per step
    }
  }

  @Test
  void aStoppedPassEndsItsBar() {
    Batches train = Batches.inOrder(8, 1, (on, examples) -> loss(model, on, examples));
    Trainer trainer =
        new Trainer(model.on(device, 1), new Sgd(0.01f), tape)
            .clipNorm(1)
            .onStep(event -> event.step() < 3);
    String err = written(out -> trainer.fit(train).progressBar(out).run(1));
    assertTrue(err.contains("3/8 steps"), err);
    assertTrue(err.endsWith(System.lineSeparator()), err);
  }

  @Test
  @Tag(Devices.CPU) // a machine with a GPU may have no font
  void theCurveIsDrawnAfterEachPass() throws Exception {
    Path picture = folder.resolve("training.png");
    List<byte[]> drawn = new ArrayList<>();
    fit()
        .curve(picture)
        .onPass(
            pass -> {
              drawn.add(read(picture));
              return true;
            })
        .run(2);
    assertEquals(2, drawn.size());
    assertFalse(Arrays.equals(drawn.get(0), drawn.get(1)));
    BufferedImage image = ImageIO.read(picture.toFile());
    assertArrayEquals(new int[] {900, 540}, new int[] {image.getWidth(), image.getHeight()});
  }

  private static byte[] read(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The pass is done and saved; the picture is what is missing, also where there is no font. */
  @Test
  void aPictureThatCannotBeWrittenIsTold() {
    Fit fit = fit().curve(folder.resolve("nowhere").resolve("training.png"));
    assertThrows(UncheckedIOException.class, () -> fit.run(1));
    assertEquals(1, fit.passes());
  }

  /** Showing a training changes none of its figures. */
  @Test
  @Tag(Devices.CPU) // a machine with a GPU may have no font
  void theLossesAreTheSame() {
    List<Fit.Pass> plain = new ArrayList<>();
    fit().progress(plain::add).run(2);
    Chain other = chain(dense(2, 1)).on(device, 1);
    model.parameters().copyFrom(other.parameters());
    List<Fit.Pass> shown = new ArrayList<>();
    written(
        out -> fit().progressBar(out).curve(folder.resolve("a.png")).progress(shown::add).run(2));
    assertEquals(plain, shown);
  }
}
