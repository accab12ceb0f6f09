package io.recur.io;

import static io.recur.nn.Layers.bidirectional;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.conv1d;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.dropout;
import static io.recur.nn.Layers.embedding;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.gruV3;
import static io.recur.nn.Layers.highway;
import static io.recur.nn.Layers.layerNorm;
import static io.recur.nn.Layers.lstm;
import static io.recur.nn.Layers.residual;
import static io.recur.nn.Layers.rnn;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Elementwise;
import io.recur.grad.CrossEntropy;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.io.layers.Activation;
import io.recur.io.layers.Applied;
import io.recur.io.layers.Backwards;
import io.recur.io.layers.BothEnds;
import io.recur.io.layers.Causal;
import io.recur.io.layers.EquationCell;
import io.recur.io.layers.LastStep;
import io.recur.io.layers.Masked;
import io.recur.io.layers.MaskedZero;
import io.recur.io.layers.Pooled;
import io.recur.io.layers.RecurrentKind;
import io.recur.io.layers.Repeated;
import io.recur.nn.BatchNorm;
import io.recur.nn.Bidirectional.Merge;
import io.recur.nn.Chain;
import io.recur.nn.Dense;
import io.recur.nn.GRUCell;
import io.recur.nn.Join;
import io.recur.nn.Layer;
import io.recur.nn.LayerNorm;
import io.recur.nn.Matrix;
import io.recur.nn.Network;
import io.recur.nn.Recur;
import io.recur.nn.Step;
import io.recur.nn.cells.ProjectedLSTMCell;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A file of weights says what its model is built of, so that the same model is built again. */
class ModelsTest extends SavedModels {
  private static final int IN = 3;

  /** Weights from a normal distribution: no two parameters are alike. */
  private static Parameter drawn(int... sizes) {
    return Parameter.of(
        Shape.of(sizes),
        (values, random) -> {
          for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian() / 2;
          }
        });
  }

  private static Parameter fixed(int... sizes) {
    return Parameter.fixed(Shape.of(sizes), (values, random) -> values[0] = random.nextFloat());
  }

  private static Activation entry(Elementwise function) {
    return new Activation.Entry(function);
  }

  private static Recur equations(
      RecurrentKind kind, boolean isResetAfter, Activation... functions) {
    int units = 4;
    int rows = kind.gates() * units;
    boolean isResetBefore = kind == RecurrentKind.GRU && !isResetAfter;
    boolean isLstm = kind == RecurrentKind.LSTM;
    EquationCell.Weights weights =
        new EquationCell.Weights(
            drawn(rows, IN),
            drawn(isResetBefore ? 2 * units : rows, units),
            isResetBefore ? drawn(units, units) : null,
            fixed(rows),
            isResetAfter ? drawn(units) : null,
            isLstm ? List.of(drawn(units), drawn(units), drawn(units)) : List.of());
    List<Parameter> state0 = new ArrayList<>(List.of(drawn(units, 1)));
    if (isLstm) {
      state0.add(fixed(units, 1));
    }
    float clip = isResetAfter ? Float.POSITIVE_INFINITY : 0.75f;
    return new Recur(
        new EquationCell(
            new EquationCell.Rule(kind, units, List.of(functions), clip, isLstm, isResetAfter),
            weights,
            state0));
  }

  private static Recur gruOfTwoBiases() {
    return new Recur(
        new GRUCell(Matrix.dense(12, IN), Matrix.dense(12, 4), drawn(12), drawn(12), fixed(4, 1)));
  }

  /** Two branches that meet. Its output has a name of its own. */
  private static Network branches() {
    return new Network(
        List.of("x"),
        List.of(
            Network.layer("reads", gru(IN, 4), "x"),
            Network.layer("sees", dense(IN, 4), "x"),
            Network.join("both", Join.SUBTRACT, "reads", "sees")),
        Map.of("y", "both"));
  }

  static List<Chain> models() {
    Recur twice = gru(IN, IN);
    Parameter zeros = Parameter.zeros(Shape.of(2, IN));
    return List.of(
        chain(rnn(IN, 5, Elementwise.RELU), lstm(5, 4), gru(4, 3), gruV3(3, 4), dense(4, 2)),
        chain(embedding(IN, 4), chain(lstm(4, 4), chain(gru(4, 2))), new Applied("log_softmax")),
        chain(
            bidirectional(lstm(IN, 2), gru(IN, 2)),
            bidirectional(gru(4, 3), gru(4, 3), Merge.SUM),
            bidirectional(rnn(3, 3), rnn(3, 3), Merge.MEAN),
            new BothEnds(1, Merge.CONCATENATE)),
        chain(
            conv1d(IN, 6, 3).padding(2).dilation(2),
            new io.recur.nn.Conv1d(6, 6, 2, 3).stride(2),
            new Causal(conv1d(6, 4, 2).padding(1), 1),
            new BatchNorm(4, 0.25f, 0.01f),
            new LayerNorm(drawn(4), fixed(4), 1e-3f),
            layerNorm(4),
            dropout(0.5f)),
        chain(
            new Backwards(chain(gru(IN, 4), rnn(4, 2)), true),
            new Backwards(lstm(2, 3), false),
            new Masked(-1),
            new LastStep(),
            new Dense(Elementwise.HARD_TANH, Matrix.dense(2, 3), fixed(2))),
        chain(residual(lstm(IN, IN)), residual(gru(IN, 4), dense(IN, 4)), highway(4, dense(4, 4))),
        chain(new Recur(new ProjectedLSTMCell(IN, 5, 2)), gru(2, IN), gruOfTwoBiases()),
        chain(
            equations(
                RecurrentKind.LSTM,
                false,
                Activation.of(Activation.Kind.HARDSIGMOID, 0.2f, 0.5f),
                entry(Elementwise.RELU6),
                entry(Elementwise.TANH))),
        chain(
            equations(
                RecurrentKind.GRU,
                true,
                entry(Elementwise.SIGMOID),
                Activation.of(Activation.Kind.SCALEDTANH, -1.5f, 0.5f))),
        chain(
            equations(
                RecurrentKind.GRU,
                false,
                entry(Elementwise.HARD_SIGMOID),
                Activation.of(Activation.Kind.THRESHOLDEDRELU, 1e-6f, 0))),
        chain(equations(RecurrentKind.RNN, false, entry(Elementwise.SOFTSIGN))),
        chain(branches(), new Pooled(true), new Repeated(3), new Pooled(false), dense(4, 2)),
        chain(
            new Dense(Elementwise.IDENTITY, Matrix.dense(zeros), Parameter.zeros(Shape.of(2))),
            new MaskedZero()),
        chain(twice, dense(IN, IN), twice));
  }

  @ParameterizedTest
  @MethodSource("models")
  void aFileIsEnoughToRunAModel(Chain model) throws IOException {
    again(model, IN);
  }

  @Test
  void aLayerThatStandsTwiceIsOneAgain() throws IOException {
    Chain again = (Chain) again(models().getLast(), IN);
    assertTrue(again.layers().getFirst() == again.layers().getLast());
    assertEquals(1, again.recurs().size());
  }

  // What is not described.

  @Test
  void whatIsNotKnownIsNamedAndItsFileRefused() throws IOException {
    Recur own =
        new Recur((h, x) -> Step.step(h.add(x), x), Parameter.zeros(Shape.of(IN, 1)).named("sum"));
    Chain model = chain(dense(IN, IN), own).on(device, 8);
    assertEquals(List.of(own.describe()), Models.unknown(model));
    Path path = folder.resolve("model.safetensors");
    Weights.save(path, model, Map.of());
    try (Safetensors file = Safetensors.read(path)) {
      assertFalse(Models.isTold(file));
    }
    Thrown.says(
        IllegalArgumentException.class,
        () -> Models.read(path, device),
        "it does not say what its model is built of",
        "call Weights.load(path, model)");
  }

  // Files that lie.

  private Path withStructure(String text) throws IOException {
    Chain model = chain(lstm(IN, 4), dense(4, 2)).on(device, 8);
    Map<String, String> metadata = Weights.metadata(model, Map.of());
    metadata.put("recur.structure", text);
    Path path = folder.resolve("lies.safetensors");
    new Safetensors(metadata, Weights.tensors(model)).write(path);
    return path;
  }

  @Test
  void aDescriptionThatIsNoneIsRefused() throws IOException {
    Map<String, String> texts =
        Map.of(
            "{}", "layer of layer null is null; need a text",
            "{\"layer\":\"kernel\"}", "need a kind that this version knows",
            "{\"layer\":\"chain\",\"layers\":[{\"same\":0}]}", "the number of a layer before this",
            "{\"layer\":\"dropout\",\"rate\":\"2\"}", "rate=2.0",
            "{\"layer\":\"embedding\",\"W\":[99999999,99999999]}", "99999999",
            "{\"layer\":\"dense\",\"function\":\"tan\",\"W\":[2,2],\"b\":[2]}",
                "need one of identity",
            "{\"layer\":\"dense\",\"function\":\"tanh\",\"W\":[2,2],\"b\":[2]}", "in the file");
    for (Map.Entry<String, String> text : texts.entrySet()) {
      Path path = withStructure(text.getKey());
      Thrown.says(
          IllegalArgumentException.class,
          () -> Models.read(path, device),
          path.toString(),
          text.getValue());
    }
  }

  @Test
  void mutationsAreRefusedOrAreModels() {
    mutationsAreRefusedOrAreModels(models(), 14);
  }

  // Training continues.

  @Test
  void aModelOfAFileIsTrained() throws IOException {
    Chain model = chain(gru(IN, 4), dense(4, 2)).on(device, 8);
    Path path = folder.resolve("model.safetensors");
    Weights.save(path, model, Map.of());
    Layer again = Models.read(path, device);
    List<Float> losses = new ArrayList<>();
    for (Layer each : List.of(model, again)) {
      try (Tape tape = Tape.on(device)) {
        Tensor y = each.apply(tape.input(Shape.of(IN, 1), 1, 2, 3));
        Tensor loss = CrossEntropy.crossEntropy(y, tape.oneHot(Shape.of(2, 1), 1));
        tape.backward(loss);
        losses.add(loss.scalar());
        each.parameters().named().values().stream()
            .filter(Parameter::isTrainable)
            .forEach(parameter -> losses.add(parameter.gradientArray()[0]));
      }
    }
    int half = losses.size() / 2;
    assertEquals(losses.subList(0, half), losses.subList(half, losses.size()));
  }
}
