package io.recur.io.onnx;

import static io.recur.nn.Layers.bidirectional;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.conv1d;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.dropout;
import static io.recur.nn.Layers.embedding;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.gruV3;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.UnknownFieldSet;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tensor;
import io.recur.nn.Cells;
import io.recur.nn.Chain;
import io.recur.nn.Layer;
import io.recur.nn.Recur;
import io.recur.nn.Step;
import io.recur.nn.cells.MGUCell;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What is exported keeps the rules of ONNX, and is byte for byte what {@code check_export.py} had
 * ONNX Runtime answer within 10⁻⁵ of Recur, at other batches and lengths, streams included.
 */
@Tag(Devices.CPU)
class OnnxExportTest {
  private static final int INPUTS = 11;
  private static final int OUTPUTS = 12;

  @AutoClose private final Device device = Devices.here();
  @TempDir private Path folder;

  private WireJudge written(OnnxExport export) throws IOException {
    Path file = folder.resolve("a.onnx");
    export.write(file);
    return new WireJudge(file);
  }

  private WireJudge written(Layer model) throws IOException {
    return written(OnnxExport.of(model));
  }

  // All samples.

  static Stream<ExportSample> samples() {
    return ExportSamples.all().stream();
  }

  @ParameterizedTest
  @MethodSource("samples")
  void everyGraphMakesEachValueOnceAndBeforeItIsRead(ExportSample sample) throws IOException {
    sample.on(device);
    written(sample.export(false)).judge();
    if (sample.hasLengths()) {
      written(sample.export(true)).judge();
    }
  }

  @Test
  void everyFileIsOneThatOnnxRuntimeHasAnswered() throws IOException {
    Map<String, String> files = new TreeMap<>();
    for (ExportSample sample : ExportSamples.all()) {
      sample.on(device);
      files.put(sample.name(), pinned(sample.export(false)));
      if (sample.hasLengths()) {
        files.put(sample.name() + ".lengths", pinned(sample.export(true)));
      }
    }
    Map<String, String> answered = new TreeMap<>();
    try (InputStream in = OnnxExportTest.class.getResourceAsStream("/onnx/exports.txt")) {
      new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .map(line -> line.split(" ", 2))
          .forEach(words -> answered.put(words[0], words[1]));
    }
    assertEquals(answered, files, "run check_export.py, which pins what ONNX Runtime has answered");
  }

  private String pinned(OnnxExport export) throws IOException {
    Path file = folder.resolve("a.onnx");
    export.write(file);
    byte[] bytes = Files.readAllBytes(file);
    CRC32 checksum = new CRC32();
    checksum.update(bytes);
    return "%08x %d".formatted(checksum.getValue(), bytes.length);
  }

  // Names.

  @Test
  void aModelTakesXAndStatesAndGivesYAndStates() throws IOException {
    Chain model = chain(lstm(3, 4), dropout(0.5f), dense(4, 2)).on(device, 1);
    WireJudge judge = written(model);
    assertEquals(List.of("x", "0.h0", "0.c0"), judge.declared(INPUTS));
    assertEquals(List.of("y", "0.h0.next", "0.c0.next"), judge.declared(OUTPUTS));
    assertEquals(List.of("time", "batch", "3"), judge.sizes(INPUTS, "x"));
    assertEquals(List.of("batch", "4"), judge.sizes(INPUTS, "0.h0"));
    assertEquals(List.of("time", "batch", "2"), judge.sizes(OUTPUTS, "y"));
    assertEquals(List.of("batch", "4"), judge.sizes(OUTPUTS, "0.c0.next"));
    assertTrue(judge.initializers().keySet().containsAll(model.parameters().named().keySet()));
  }

  @Test
  void weightsKeepTheirNamesAndBytes() throws IOException {
    Chain model = chain(embedding(7, 3), new Recur(new MGUCell(3, 4)), dense(4, 2)).on(device, 1);
    Map<String, UnknownFieldSet> weights = written(model).initializers();
    for (Map.Entry<String, Parameter> entry : model.parameters().named().entrySet()) {
      UnknownFieldSet tensor = weights.get(entry.getKey());
      assertArrayEquals(entry.getValue().toArray(), WireJudge.floats(tensor), 0, entry.getKey());
    }
    assertEquals(List.of(7L, 3L), WireJudge.integers(weights.get("0.W"), 1));
  }

  @Test
  void aStateWithoutState0HasNoDefault() throws IOException {
    Chain model = chain(dense(3, 3), gru(3, 4).withoutState0()).on(device, 1);
    WireJudge judge = written(model);
    assertEquals(List.of("x", "1.h0"), judge.declared(INPUTS));
    assertFalse(judge.initializers().containsKey("1.h0"));
  }

  @Test
  void aBackwardDirectionHasNoStateOfItsOwn() throws IOException {
    WireJudge judge = written(bidirectional(gru(3, 4), gru(3, 4)).on(device, 1));
    assertEquals(List.of("x", "0.h0"), judge.declared(INPUTS));
    assertEquals(List.of("y", "0.h0.next"), judge.declared(OUTPUTS));
  }

  @Test
  void namesOfTheGraphGiveWayToNoParameter() throws IOException {
    Parameter weight = Parameter.zeros(Shape.of(2, 2)).named("x");
    Parameter y = Parameter.zeros(Shape.of(2, 1)).named("y");
    Recur recur =
        new Recur(
            (h, x) -> {
              Tensor next = weight.matmul(x).add(h);
              return Step.step(next, next);
            },
            y,
            weight);
    WireJudge judge = written(recur.on(device, 1));
    judge.judge();
    assertEquals(List.of("x", "y.2"), judge.declared(INPUTS));
    assertEquals(List.of("y", "y.2.next"), judge.declared(OUTPUTS));
  }

  @Test
  void theFileSaysWhoWroteIt() throws IOException {
    UnknownFieldSet model = written(dense(3, 2).on(device, 1)).model();
    assertEquals(List.of(8L), WireJudge.integers(model, 1));
    assertEquals("Recur", WireJudge.text(model, 2));
    assertEquals("Recur " + OnnxExport.VERSION + ": Dense(3 => 2)", WireJudge.text(model, 6));
    assertEquals(List.of(17L), WireJudge.integers(WireJudge.messages(model, 8).getFirst(), 2));
    String pom = Files.readString(Path.of("pom.xml"));
    assertTrue(pom.contains("<version>" + OnnxExport.VERSION), OnnxExport.VERSION);
  }

  // Operators.

  @Test
  void builtInCellsAreOperators() throws IOException {
    assertTrue(written(lstm(3, 4).on(device, 1)).operators().contains("LSTM"));
    assertTrue(written(gru(3, 4).on(device, 1)).operators().contains("GRU"));
    assertTrue(written(gruV3(3, 4).on(device, 1)).operators().contains("GRU"));
    assertTrue(written(new Recur(new MGUCell(3, 4)).on(device, 1)).operators().contains("Scan"));
  }

  /** ONNX's order is input, output, forget, cell. */
  @Test
  void gatesAreInTheOrderOfOnnx() throws IOException {
    Recur lstm = lstm(1, 1).on(device, 1);
    lstm.cell().parameters().getFirst().value().slice(0, 4).write(new float[] {1, 2, 3, 4});
    UnknownFieldSet w = written(lstm).initializers().get("Wi");
    assertEquals(List.of(1L, 4L, 1L), WireJudge.integers(w, 1));
    assertArrayEquals(new float[] {1, 4, 2, 3}, WireJudge.floats(w));
  }

  /** What does not depend on the state is computed for all steps at once. */
  @Test
  void aScansBodyHoldsWhatDependsOnTheStateAlone() throws IOException {
    WireJudge judge = written(new Recur(new MGUCell(3, 4)).on(device, 1));
    assertEquals(1, judge.operators().stream().filter("MatMul"::equals).count());
    UnknownFieldSet body =
        WireJudge.messages(judge.node("Scan"), 5).stream()
            .flatMap(attribute -> WireJudge.messages(attribute, 6).stream())
            .findFirst()
            .orElseThrow();
    long products =
        WireJudge.messages(body, 1).stream()
            .filter(node -> WireJudge.text(node, 4).equals("MatMul"))
            .count();
    assertEquals(2, products);
  }

  @Test
  void aSlidingModelIsTheModelItself() throws IOException {
    Chain model = chain(gru(3, 4), dense(4, 2)).on(device, 1);
    assertEquals(written(model).operators(), written(model.slide(3)).operators());
  }

  @Test
  void aHeadBehindTheLastStepGivesOneColumnPerSequence() throws IOException {
    Layer head = dense(4, 2).on(device, 1);
    OnnxExport export = OnnxExport.of(gru(3, 4).on(device, 1)).lengths().last().then(head);
    WireJudge judge = written(export);
    assertEquals(List.of("x", "lengths", "0.h0"), judge.declared(INPUTS));
    assertEquals(List.of("batch", "2"), judge.sizes(OUTPUTS, "y"));
    assertTrue(judge.initializers().containsKey("lengths"));
  }

  // What cannot be written.

  private void assertRefused(String part, OnnxExport export) throws IOException {
    Path file = folder.resolve("old.onnx");
    Files.writeString(file, "old");
    String message =
        assertThrows(IllegalArgumentException.class, () -> export.write(file)).getMessage();
    assertTrue(message.contains(part), message);
    assertEquals("old", Files.readString(file));
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(List.of(file), files.toList());
    }
  }

  @Test
  void aCellWithoutAListOfOperationsIsRefusedByName() throws IOException {
    for (Cells cells : ExportSamples.WITHOUT_FORM) {
      Recur recur = cells.make(3, 4).on(device, 1);
      assertRefused(
          recur.describe() + ": its step cannot be recorded", OnnxExport.of(recur).features(3));
    }
  }

  @Test
  void aStepThatReadsAValueIsRefused() throws IOException {
    Recur recur =
        new Recur(
            (h, x) -> Step.step(h.scale(x.toArray()[0]), h), Parameter.fixed(Shape.of(2, 1), 0, 0));
    assertRefused(
        "toArray: the step reads a value", OnnxExport.of(recur.on(device, 1)).features(2));
  }

  @Test
  void aStepThatDependsOnTheBatchIsRefused() throws IOException {
    Recur recur =
        new Recur(
            (h, x) -> Step.step(h.add(x.scale(1f / x.shape().batch())), h),
            Parameter.fixed(Shape.of(2, 1), 0, 0));
    assertRefused("for a batch of 2", OnnxExport.of(recur.on(device, 1)).features(2));
  }

  @Test
  void rowsThatNoLayerSaysAreAskedFor() throws IOException {
    Recur recur =
        new Recur((h, x) -> Step.step(h.add(x), x), Parameter.fixed(Shape.of(2, 1), 0, 0));
    assertRefused("call features(rows)", OnnxExport.of(recur.on(device, 1)));
  }

  @Test
  void layersThatDoNotFitAreNamed() throws IOException {
    assertRefused(
        "Dense(5 => 2): x has 4 rows, and it needs 5",
        OnnxExport.of(chain(gru(3, 4), dense(5, 2)).on(device, 1)));
  }

  private record Holder(Recur inner) implements Layer {
    @Override
    public Tensor apply(Tensor x) {
      return inner.apply(x);
    }

    @Override
    public List<Layer> layers() {
      return List.of(inner);
    }
  }

  @Test
  void aUsersLayerWithAStateIsRefused() throws IOException {
    Layer holder = new Holder(gru(3, 4)).on(device, 1);
    assertRefused(
        "export of Holder: it holds Recur(GRUCell(3 => 4))", OnnxExport.of(holder).features(3));
  }

  @Test
  void aUsersLayerThatMixesStepsIsRefused() throws IOException {
    Layer backwards = x -> x.shape().time() == 1 ? x : x.reversed();
    assertRefused(
        "a step of its output depends on other steps",
        OnnxExport.of(chain(dense(3, 3), backwards).on(device, 1)));
  }

  @Test
  void aConvolutionThatChangesStepsTakesNoLengths() throws IOException {
    Layer model = conv1d(3, 4, 3).on(device, 1);
    assertRefused("Conv1d(3 => 4, kernel=3): with lengths()", OnnxExport.of(model).lengths());
    assertEquals(
        List.of("y_time", "batch", "4"), written(OnnxExport.of(model)).sizes(OUTPUTS, "y"));
  }

  @Test
  void aModelWithoutMemoryIsRefused() {
    Path file = folder.resolve("a.onnx");
    OnnxExport export = OnnxExport.of(chain(gru(3, 4)));
    String message =
        assertThrows(IllegalStateException.class, () -> export.write(file)).getMessage();
    assertTrue(message.contains("parameter Wi has no memory; call on(device, seed)"), message);
    assertFalse(Files.exists(file));
  }
}
