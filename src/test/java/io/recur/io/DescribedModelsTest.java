package io.recur.io;

import static io.recur.nn.Layers.bidirectional;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.recur.Thrown;
import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.nn.Attention;
import io.recur.nn.Cells;
import io.recur.nn.Chain;
import io.recur.nn.Dense;
import io.recur.nn.GRUCell;
import io.recur.nn.LSTMCell;
import io.recur.nn.Layer;
import io.recur.nn.LayerNorm;
import io.recur.nn.Matrix;
import io.recur.nn.RNNCell;
import io.recur.nn.Recur;
import io.recur.nn.Step;
import io.recur.nn.cells.CoRNNCell;
import io.recur.nn.cells.GatedDeltaNetCell;
import io.recur.nn.cells.IndRNNCell;
import io.recur.nn.cells.JANETCell;
import io.recur.nn.cells.MLSTMCell;
import io.recur.nn.cells.RHNCell;
import io.recur.nn.cells.RWKV7Cell;
import io.recur.nn.cells.RecurrentDropout;
import io.recur.nn.cells.SLSTMCell;
import io.recur.nn.cells.UGRNNCell;
import io.recur.nn.cells.WeightDrop;
import io.recur.nn.cells.Zoneout;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The catalogue's cells, regularisers, bands and shared parameters are built again from a file. */
class DescribedModelsTest extends SavedModels {
  private static final int IN = 4;

  static Stream<Cells> catalogue() {
    return Cells.catalogue();
  }

  private static Parameter zeros(int... sizes) {
    return Parameter.zeros(Shape.of(sizes));
  }

  /** Models with settings that sizes do not tell. */
  static List<Layer> settings() {
    Parameter w = Parameter.glorot(IN, IN);
    Recur one = lstm(IN, IN);
    Recur other = lstm(IN, IN);
    return List.of(
        chain(new Recur(new SLSTMCell(IN, 4, 2)), new Recur(new MLSTMCell(4, 6, 3))),
        chain(new Recur(new RWKV7Cell(IN, 4, 2)), new Recur(new GatedDeltaNetCell(4, 6, 3))),
        chain(new Recur(new RHNCell(IN, 5, 4)), dense(5, 2)),
        new Recur(
            new IndRNNCell(Elementwise.TANH, Matrix.dense(3, IN), zeros(3), zeros(3), zeros(3, 1))),
        new Recur(
            new CoRNNCell(
                Matrix.dense(3, IN),
                Matrix.diagonal(3, 3),
                Matrix.dense(3, 3),
                zeros(3),
                zeros(3, 1),
                zeros(3, 1),
                0.5f,
                1.25f,
                -2)),
        new Recur(
            new RNNCell(
                Elementwise.RELU,
                Matrix.tridiagonal(IN, IN),
                Matrix.diagonal(IN, IN),
                zeros(IN),
                zeros(IN, 1))),
        new Recur(
            new JANETCell(Matrix.dense(6, IN), Matrix.tridiagonal(6, 3), zeros(6), zeros(3, 1))),
        new Dense(Elementwise.SIGMOID, Matrix.diagonal(2 * IN, IN), zeros(2 * IN)),
        new Recur(Zoneout.of(new LSTMCell(IN, 3), 0.25f, 0)),
        new Recur(WeightDrop.of(new GRUCell(IN, 3), 0.5f, "Wh", "Wi")),
        new Recur(
            RecurrentDropout.of(
                WeightDrop.of(Zoneout.of(new UGRNNCell(IN, 3), 0.1f), 0.5f, "Wh"), 0.5f)),
        chain(Attention.bahdanau(IN, IN, 3), Attention.luong(IN, IN), Attention.dot()),
        chain(one, dense(IN, IN), one.fork()),
        chain(bidirectional(other, other.fork()), dense(2 * IN, 2)),
        chain(
            new Dense(Elementwise.TANH, Matrix.dense(w), zeros(IN)),
            new Dense(Elementwise.RELU, Matrix.dense(w), zeros(IN))));
  }

  @ParameterizedTest
  @MethodSource("catalogue")
  void aCellOfTheCatalogueIsBuiltAgain(Cells cells) throws IOException {
    again(chain(cells.make(IN, 4), dense(4, 2)), IN);
    again(new Recur(cells.paper(IN, 4)), IN);
  }

  @ParameterizedTest
  @MethodSource("settings")
  void settingsBandsAndRegularisersAreKept(Layer model) throws IOException {
    again(model, IN);
  }

  @Test
  void forksShareTheirParametersAgain() throws IOException {
    Recur one = gru(IN, IN);
    Chain again = (Chain) again(chain(one, dense(IN, IN), one.fork()), IN);
    List<Recur> recurs = again.recurs();
    assertEquals(2, recurs.size());
    for (int i = 0; i < 4; i++) {
      assertSame(
          recurs.getFirst().cell().parameters().get(i),
          recurs.getLast().cell().parameters().get(i));
    }
  }

  @Test
  void aParameterOfTwoNamesIsNotDescribed() {
    Parameter both = zeros(IN);
    Layer norm = new LayerNorm(both, both, 1e-5f);
    assertEquals(List.of(norm.describe()), Models.unknown(chain(dense(IN, IN), norm)));
  }

  @Test
  void aCellOfYourOwnInsideOfARegulariserIsNotDescribed() {
    Recur own = new Recur((h, x) -> Step.step(h.add(x), x), zeros(IN, 1).named("sum"));
    Recur zoneout = new Recur(Zoneout.of(own.cell(), 0.5f));
    assertEquals(
        List.of(zoneout.describe()), Models.unknown(chain(dense(IN, IN), zoneout, zoneout)));
  }

  // Texts that lie.

  private static String network(String outputs, String given) {
    return "{\"layer\":\"network\",\"inputs\":[\"x\"],\"outputs\":%s,\"outputs to\":%s,\"nodes\":[]}"
        .formatted(outputs, given);
  }

  @Test
  void aReferenceToNothingIsRefused() {
    Map<String, String> texts =
        Map.of(
            "{\"layer\":\"embedding\",\"W\":{\"of\":0,\"name\":\"W\"}}",
            "need a parameter of a layer before this one",
            "{\"layer\":\"embedding\",\"W\":{\"of\":7,\"name\":\"W\"}}",
            "need a parameter of a layer before this one",
            "{\"layer\":\"dense\",\"function\":\"tanh\",\"W\":{\"bands\":\"upper\",\"sizes\":[2,2]}}",
            "need diagonal or tridiagonal",
            "{\"layer\":\"dense\",\"function\":\"tanh\",\"W\":{\"bands\":\"diagonal\",\"sizes\":[2]}}",
            "need two sizes",
            "{\"layer\":\"zoneout\",\"cell\":{\"layer\":\"own\"},\"rates\":[\"0.5\"]}",
            "need a kind that this version knows",
            network("[\"y\"]", "[]"),
            "outputs of layer network is [y]; need each once, and 0 of them",
            network("[\"y\",\"z\"]", "[\"a\"]"),
            "need each once, and 1 of them",
            network("[\"y\",\"y\"]", "[\"a\",\"b\"]"),
            "need each once, and 2 of them");
    texts.forEach(
        (text, words) ->
            Thrown.says(IllegalArgumentException.class, () -> Structure.model(text, 1_000), words));
  }

  @Test
  void mutationsAreRefusedOrAreModels() {
    Stream<Recur> cells = catalogue().map(cell -> new Recur(cell.paper(IN, 4)));
    mutationsAreRefusedOrAreModels(Stream.concat(settings().stream(), cells).toList(), 15);
  }
}
