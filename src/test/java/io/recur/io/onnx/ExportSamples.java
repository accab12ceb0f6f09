package io.recur.io.onnx;

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
import static io.recur.nn.Layers.stack;

import io.recur.device.Device;
import io.recur.device.Dimension;
import io.recur.device.Elementwise;
import io.recur.grad.Concat;
import io.recur.grad.Functions;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Softmax;
import io.recur.grad.Tensor;
import io.recur.nn.Attention;
import io.recur.nn.BatchNorm;
import io.recur.nn.Bidirectional.Merge;
import io.recur.nn.Cells;
import io.recur.nn.Conv1d;
import io.recur.nn.Dense;
import io.recur.nn.GRUCell;
import io.recur.nn.LSTMCell;
import io.recur.nn.Layer;
import io.recur.nn.Matrix;
import io.recur.nn.RNNCell;
import io.recur.nn.Recur;
import io.recur.nn.Step;
import io.recur.nn.cells.MGUCell;
import io.recur.nn.cells.RecurrentDropout;
import io.recur.nn.cells.WeightDrop;
import io.recur.nn.cells.Zoneout;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Models of all layers and cells that are exported. {@code check_export.py} has ONNX Runtime answer
 * them: {@code ExportSamples FOLDER} writes the files that it reads.
 */
final class ExportSamples {
  private static final int IN = 3;
  private static final int OUT = 4;

  /** Cells whose state is a matrix per head have no form as a list of operations. */
  static final List<Cells> WITHOUT_FORM = List.of(Cells.MLSTM, Cells.GATED_DELTA_NET, Cells.RWKV7);

  private static final Set<Elementwise> POSITIVE =
      Set.of(Elementwise.LOG, Elementwise.SQRT, Elementwise.RECIPROCAL);

  private ExportSamples() {}

  public static void main(String[] arguments) throws IOException {
    Path folder = Path.of(arguments[0]);
    try (Device device = Device.cpu()) {
      for (ExportSample sample : all()) {
        sample.on(device);
        write(device, sample, folder, false);
        if (sample.hasLengths()) {
          write(device, sample, folder, true);
        }
      }
    }
  }

  private static void write(Device device, ExportSample sample, Path folder, boolean lengths)
      throws IOException {
    String name = sample.name() + (lengths ? ".lengths" : "");
    sample.export(lengths).write(folder.resolve(name + ".onnx"));
    sample.writeAnswers(device, folder.resolve(name + ".safetensors"), lengths);
  }

  /** All samples, without memory. */
  static List<ExportSample> all() {
    List<ExportSample> samples = new ArrayList<>();
    for (Cells cells : Cells.values()) {
      if (!WITHOUT_FORM.contains(cells)) {
        String name = "cell_" + cells.name().toLowerCase(Locale.ROOT);
        samples.add(ExportSample.of(name, IN, cells.make(IN, OUT)));
      }
    }
    for (Elementwise f : Elementwise.values()) {
      String name = "function_" + f.label();
      Layer positive = dense(IN, OUT, Elementwise.SIGMOID);
      boolean isOfPositive = POSITIVE.contains(f);
      samples.add(
          ExportSample.of(
              name,
              IN,
              isOfPositive
                  ? chain(positive, ofSteps(f, 1))
                  : chain(positive, ofSteps(f, -0.5f), dense(OUT, OUT, f))));
    }
    recurrent(samples);
    directions(samples);
    layers(samples);
    whole(samples);
    return samples;
  }

  /** A layer of a user's. */
  private static Layer ofSteps(Elementwise f, float added) {
    return x -> Functions.apply(f, x.add(added));
  }

  private static void recurrent(List<ExportSample> samples) {
    for (Elementwise f : List.of(Elementwise.RELU, Elementwise.SIGMOID, Elementwise.SOFTSIGN)) {
      samples.add(ExportSample.of("rnn_" + f.label(), IN, rnn(IN, OUT, f)));
    }
    samples.add(ExportSample.of("band_diagonal", IN, band(Matrix.diagonal(OUT, OUT))));
    samples.add(ExportSample.of("band_tridiagonal", IN, band(Matrix.tridiagonal(OUT, OUT))));
    Matrix stacked = Matrix.diagonal(4 * OUT, OUT);
    samples.add(ExportSample.of("band_lstm", IN, lstmOf(Matrix.dense(4 * OUT, IN), stacked)));
    Matrix wide = Matrix.tridiagonal(4 * OUT, OUT);
    samples.add(ExportSample.of("band_wide", IN, lstmOf(Matrix.dense(4 * OUT, IN), wide)));
    samples.add(ExportSample.of("cell_zoneout", IN, new Recur(Zoneout.of(cell(), 0.2f, 0.3f))));
    samples.add(
        ExportSample.of("cell_weight_drop", IN, new Recur(WeightDrop.of(cell(), 0.4f, "Wh"))));
    samples.add(
        ExportSample.of(
            "cell_recurrent_dropout", IN, new Recur(RecurrentDropout.of(cell(), 0.4f, 0))));
    secondBiases(samples);
    samples.add(ExportSample.of("cell_operations", IN, operations()));
    samples.add(ExportSample.of("cell_without_matrix", IN, decay()));
    samples.add(ExportSample.of("cell_of_parameters", IN, ofParameters()));
    samples.add(ExportSample.of("no_state0", IN, gru(IN, OUT).withoutState0()));
    samples.add(ExportSample.of("no_state0_scan", IN, scanned().withoutState0()));
    Recur twice = gru(OUT, OUT);
    samples.add(ExportSample.of("twice", OUT, chain(twice, twice)));
    LSTMCell shared = new LSTMCell(OUT, OUT);
    samples.add(ExportSample.of("shared_cell", OUT, chain(new Recur(shared), new Recur(shared))));
    samples.add(ExportSample.of("one_hot", IN, lstm(IN, OUT)).ofClasses());
    samples.add(ExportSample.of("one_hot_scan", IN, scanned()).ofClasses());
  }

  /** As PyTorch has them. */
  private static void secondBiases(List<ExportSample> samples) {
    samples.add(
        ExportSample.of(
            "biases_rnn",
            IN,
            new Recur(
                new RNNCell(
                    Elementwise.TANH,
                    Matrix.dense(OUT, IN),
                    Matrix.dense(OUT, OUT),
                    zeros(OUT),
                    zeros(OUT),
                    zeros(OUT, 1)))));
    samples.add(
        ExportSample.of(
            "biases_lstm",
            IN,
            new Recur(
                new LSTMCell(
                    Matrix.dense(4 * OUT, IN),
                    Matrix.dense(4 * OUT, OUT),
                    zeros(4 * OUT),
                    zeros(4 * OUT),
                    zeros(OUT, 1),
                    zeros(OUT, 1)))));
    samples.add(
        ExportSample.of(
            "biases_gru",
            IN,
            new Recur(
                new GRUCell(
                    Matrix.dense(3 * OUT, IN),
                    Matrix.dense(3 * OUT, OUT),
                    zeros(3 * OUT),
                    zeros(3 * OUT),
                    zeros(OUT, 1)))));
  }

  private static Parameter zeros(int... dimensions) {
    return Parameter.zeros(Shape.of(dimensions));
  }

  private static LSTMCell cell() {
    return new LSTMCell(IN, OUT);
  }

  private static Recur scanned() {
    return new Recur(new MGUCell(IN, OUT));
  }

  private static Recur band(Matrix wh) {
    Parameter b = Parameter.zeros(Shape.of(OUT));
    Parameter h0 = Parameter.zeros(Shape.of(OUT, 1));
    return new Recur(new RNNCell(Elementwise.TANH, Matrix.dense(OUT, IN), wh, b, h0));
  }

  private static Recur lstmOf(Matrix wi, Matrix wh) {
    Parameter b = Parameter.zeros(Shape.of(4 * OUT));
    Parameter h0 = Parameter.zeros(Shape.of(OUT, 1));
    return new Recur(new LSTMCell(wi, wh, b, h0, Parameter.zeros(Shape.of(OUT, 1))));
  }

  /** A cell of a user's with operations of every kind, of the state and of x. */
  private static Recur operations() {
    Parameter wx = Parameter.glorot(OUT, IN);
    Parameter wh = Parameter.glorot(OUT, OUT);
    Parameter b = Parameter.zeros(Shape.of(OUT));
    return new Recur(
        (h, x) -> {
          Tensor in = everything(wx.matmul(x).add(b), b);
          Tensor next = Functions.tanh(everything(wh.matmul(h).add(in), b));
          return Step.step(next, Concat.rows(next.sum(Dimension.ROWS), x, next.rows(1, 3)));
        },
        Parameter.zeros(Shape.of(OUT, 1)),
        Map.of("Wx", wx, "Wh", wh, "b", b));
  }

  /** Operations of every kind on columns. */
  private static Tensor everything(Tensor a, Tensor b) {
    Tensor softmax = Softmax.softmax(a).add(Softmax.logSoftmax(a).scale(0.1f));
    Tensor bounds = a.minimum(b).add(a.maximum(softmax)).add(a.clamp(-0.3f, 0.4f));
    Tensor masks = a.greater(b).add(a.greaterEqual(b)).add(a.less(b));
    Tensor more = a.lessEqual(b).add(a.equal(b)).add(masks.scale(0.5f));
    Tensor rows = a.mean(Dimension.ROWS).add(a.max(Dimension.ROWS)).add(a.variance(Dimension.ROWS));
    Tensor joined = Concat.rows(a.rows(2, OUT), a.rows(0, 2).rsub(1));
    return bounds.add(more).add(rows).add(joined).div(Functions.square(a).add(2)).sub(0.1f);
  }

  /** The example of {@code Cell}: nothing says how many rows x has. */
  private static Recur decay() {
    Parameter rate = Parameter.zeros(Shape.of(IN));
    return new Recur(
        (h, x) -> {
          Tensor next = h.mul(rate).add(x);
          return Step.step(next, next);
        },
        Parameter.zeros(Shape.of(IN, 1)),
        Map.of("rate", rate));
  }

  /** The state becomes the input and the output the state before; a function of parameters. */
  private static Recur ofParameters() {
    Parameter rate = Parameter.zeros(Shape.of(IN));
    return new Recur(
        (h, x) -> {
          Tensor gate = Functions.sigmoid(h.tape().use(rate));
          return Step.step(x, h.mul(gate).add(gate));
        },
        Parameter.zeros(Shape.of(IN, 1)),
        Map.of("rate", rate));
  }

  private static void directions(List<ExportSample> samples) {
    for (Merge merge : Merge.values()) {
      String name = merge.name().toLowerCase(Locale.ROOT);
      samples.add(
          ExportSample.of(
              "both_lstm_" + name, IN, bidirectional(lstm(IN, OUT), lstm(IN, OUT), merge)));
      samples.add(
          ExportSample.of("both_scan_" + name, IN, bidirectional(scanned(), scanned(), merge)));
    }
    samples.add(ExportSample.of("both_mixed", IN, bidirectional(gruV3(IN, 2), scanned())));
    LSTMCell shared = cell();
    samples.add(
        ExportSample.of("both_shared", IN, bidirectional(new Recur(shared), new Recur(shared))));
    samples.add(
        ExportSample.of(
            "both_deep",
            IN,
            stack(
                0.2f,
                bidirectional(gru(IN, OUT), gru(IN, OUT)),
                bidirectional(rnn(2 * OUT, OUT), rnn(2 * OUT, OUT)),
                dense(2 * OUT, 2))));
  }

  private static void layers(List<ExportSample> samples) {
    samples.add(ExportSample.of("layer_norm", IN, chain(dense(IN, OUT), layerNorm(OUT))));
    samples.add(
        ExportSample.of("batch_norm", IN, chain(dense(IN, OUT), new BatchNorm(OUT, 1e-3f, 0.1f))));
    samples.add(ExportSample.of("dropout", IN, chain(dropout(0.5f), dense(IN, OUT))));
    Parameter b = Parameter.zeros(Shape.of(2 * IN));
    Layer diagonal = new Dense(Elementwise.TANH, Matrix.diagonal(2 * IN, IN), b);
    samples.add(ExportSample.of("dense_diagonal", IN, diagonal));
    samples.add(ExportSample.of("conv", IN, conv1d(IN, OUT, 5).padding(2)));
    samples.add(ExportSample.of("conv_dilated", IN, conv1d(IN, OUT, 3).dilation(2).padding(2)));
    Conv1d strided = new Conv1d(4, 6, 4, 2).stride(3).padding(1).dilation(2);
    samples.add(
        ExportSample.of("conv_strided", 4, chain(strided, gru(6, OUT))).least(5).withoutLengths());
    samples.add(ExportSample.of("conv_depthwise", 4, new Conv1d(4, 4, 3, 4).padding(1)));
    samples.add(ExportSample.of("attention_dot", IN, Attention.dot()));
    samples.add(ExportSample.of("attention_luong", IN, Attention.luong(IN, IN)));
    samples.add(ExportSample.of("attention_bahdanau", IN, Attention.bahdanau(IN, IN, 5)));
    samples.add(ExportSample.of("residual", IN, residual(lstm(IN, IN))));
    samples.add(ExportSample.of("residual_wide", IN, residual(gru(IN, OUT), dense(IN, OUT))));
    samples.add(ExportSample.of("highway", IN, highway(IN, gru(IN, IN))));
    samples.add(ExportSample.of("embedding", 7, embedding(7, OUT)).ofClasses());
    samples.add(ExportSample.of("embedding_behind", IN, chain(dense(IN, 7), embedding(7, OUT))));
    samples.add(ExportSample.of("chain_empty", IN, chain()));
    samples.add(ExportSample.of("users_operations", OUT, ofEverything()));
  }

  private static Layer ofEverything() {
    Dense after = dense(OUT, OUT);
    return chain((Layer) x -> everything(x, x.rsub(0.2f)), after);
  }

  private static void whole(List<ExportSample> samples) {
    samples.add(
        ExportSample.of("tagger", 9, chain(embedding(9, 5), lstm(5, 6), dense(6, 3))).ofClasses());
    samples.add(
        ExportSample.of(
            "deep",
            IN,
            chain(
                conv1d(IN, OUT, 3).padding(1),
                new BatchNorm(OUT),
                residual(lstm(OUT, OUT)),
                layerNorm(OUT),
                highway(OUT, scannedOf(OUT)),
                dropout(0.1f),
                dense(OUT, 2, Elementwise.GELU))));
    for (String pool : List.of("last", "mean", "max")) {
      samples.add(
          ExportSample.of("pool_" + pool, IN, chain(gru(IN, OUT), layerNorm(OUT)))
              .pooled(pool, dense(OUT, 2)));
    }
  }

  private static Recur scannedOf(int units) {
    return new Recur(new MGUCell(units, units));
  }
}
