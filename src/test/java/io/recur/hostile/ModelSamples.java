package io.recur.hostile;

import static io.recur.hostile.TensorSamples.parameter;
import static io.recur.hostile.TensorSamples.variable;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.conv1d;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.embedding;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.highway;
import static io.recur.nn.Layers.lstm;
import static io.recur.nn.Layers.residual;
import static io.recur.nn.Layers.rnn;

import io.recur.Resource;
import io.recur.device.Elementwise;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.io.Npy;
import io.recur.io.Safetensors;
import io.recur.io.StateDict;
import io.recur.io.StoredTensor;
import io.recur.io.keras.KerasFile;
import io.recur.io.onnx.OnnxExport;
import io.recur.nn.Attention;
import io.recur.nn.BatchNorm;
import io.recur.nn.Bidirectional;
import io.recur.nn.Cell;
import io.recur.nn.Chain;
import io.recur.nn.Conv1d;
import io.recur.nn.Decoder;
import io.recur.nn.Dense;
import io.recur.nn.Embedding;
import io.recur.nn.GRUCell;
import io.recur.nn.GRUv3Cell;
import io.recur.nn.Highway;
import io.recur.nn.LSTMCell;
import io.recur.nn.Layer;
import io.recur.nn.Layers;
import io.recur.nn.Matrix;
import io.recur.nn.Parameters;
import io.recur.nn.RNNCell;
import io.recur.nn.Recur;
import io.recur.nn.Residual;
import io.recur.nn.Sliding;
import io.recur.nn.Snapshot;
import io.recur.nn.StackedCell;
import io.recur.nn.State;
import io.recur.nn.Step;
import io.recur.nn.cells.RecurrentDropout;
import io.recur.nn.cells.WeightDrop;
import io.recur.nn.cells.Zoneout;
import io.recur.train.Adam;
import io.recur.train.Batches;
import io.recur.train.Fit;
import io.recur.train.Optimiser;
import io.recur.train.Schedule;
import io.recur.train.Sgd;
import io.recur.train.Streams;
import io.recur.train.Trainer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;
import java.util.random.RandomGenerator;

/** Values of the rooms nn, io and train. */
final class ModelSamples {
  private static final String MODULES =
      "java.util.Map<java.lang.String, ? extends io.recur.nn.Layer>";

  private ModelSamples() {}

  static void addTo(Samples samples) {
    layers(samples);
    recurs(samples);
    cells(samples);
    states(samples);
    snapshots(samples);
    training(samples);
    files(samples);
    OnnxSamples.addTo(samples);
  }

  private static void layers(Samples samples) {
    samples
        .add(Layer.class, "chain", World::model)
        .add(Layer.class, "dense", world -> dense(2, 2).on(world.device(), 1))
        .add(Layer.class, "embedding", world -> embedding(2, 2).on(world.device(), 1))
        .add(Layer.class, "without memory", world -> chain(lstm(2, 2)))
        .add(Layer.class, "empty", world -> chain())
        .add(Layer.class, "user's", world -> (Layer) x -> x)
        .add(Layer.class, "on another device", world -> lstm(2, 2).on(world.devices().other(), 1))
        .add(Layer.class, "of a closed tape", ModelSamples::ofClosedTape)
        .add(Layer.Fork.class, "fork", ModelSamples::fork)
        .add("java.util.List<? extends io.recur.nn.Layer>", "one", world -> List.of(dense(2, 2)))
        .add("java.util.List<? extends io.recur.nn.Layer>", "none", world -> List.of())
        .add(Decoder.class, "of a chain", world -> new Decoder(world.model(), 2).endingWith(1))
        .add(RandomGenerator.class, "seeded", world -> new Random(1))
        .add(
            "java.util.Map<java.lang.String, io.recur.grad.Parameter>",
            "one",
            world -> Map.of("W", parameter(world)))
        .add(Sliding.class, "of a chain", world -> world.model().slide(2))
        .add(Bidirectional.class, "lstm", world -> bidirectional(world))
        .add(Bidirectional.class, "used", ModelSamples::usedBidirectional)
        .add(Residual.class, "of a dense", world -> residual(dense(2, 2)).on(world.device(), 1))
        .add(Highway.class, "of a gru", world -> highway(2, gru(2, 2)).on(world.device(), 1))
        .add(
            Attention.class, "bahdanau", world -> Attention.bahdanau(2, 2, 3).on(world.device(), 1))
        .add(Attention.class, "dot", world -> Attention.dot())
        .add(Attention.Memory.class, "dot", world -> Attention.dot().memory(variable(world)))
        .add(Chain.class, "lstm and dense", World::model)
        .add(Chain.class, "without memory", world -> chain(lstm(2, 2)))
        .add(Chain.class, "empty", world -> chain())
        .add(Dense.class, "dense", world -> dense(2, 2, Elementwise.TANH).on(world.device(), 1))
        .add(Conv1d.class, "conv1d", world -> conv1d(2, 2, 2).on(world.device(), 1))
        .add(Embedding.class, "embedding", world -> embedding(2, 2).on(world.device(), 1))
        .add(Parameters.class, "of a model", world -> world.model().parameters())
        .add(Parameters.class, "of another", world -> rnn(2, 2).on(world.device(), 1).parameters())
        .add(Parameters.class, "none", world -> chain().parameters())
        .add(Parameters.class, "without memory", world -> lstm(2, 2).parameters())
        .add(
            Parameters.class,
            "of another device",
            world -> dense(2, 2).on(world.devices().other(), 1).parameters())
        .add(
            Parameters.Span.class,
            "of a model",
            world -> world.model().parameters().spans().getFirst());
  }

  private static Bidirectional bidirectional(World world) {
    return Layers.bidirectional(lstm(2, 2), lstm(2, 2)).on(world.device(), 1);
  }

  private static Bidirectional usedBidirectional(World world) {
    Bidirectional used = bidirectional(world);
    used.apply(world.tape().input(Shape.of(2, 1, 3), 1, 2, 3, 4, 5, 6));
    return used;
  }

  private static Recur ofClosedTape(World world) {
    Recur recur = lstm(2, 2).on(world.device(), 1);
    Tape tape = world.open(Tape.on(world.device()));
    recur.apply(tape.input(1, 2));
    tape.close();
    return recur;
  }

  /** A fork is given to a layer while its model forks. */
  private static Layer.Fork fork(World world) {
    Layer.Fork[] seen = new Layer.Fork[1];
    Layer inner =
        new Layer() {
          @Override
          public Tensor apply(Tensor x) {
            return x;
          }

          @Override
          public Layer fork(Layer.Fork fork) {
            seen[0] = fork;
            return this;
          }
        };
    chain(inner).fork();
    return seen[0];
  }

  private static void recurs(Samples samples) {
    samples
        .add(Recur.class, "fresh", world -> lstm(2, 2).on(world.device(), 1))
        .add(Recur.class, "with history", world -> used(world, world.tape()))
        .add(
            Recur.class,
            "with history elsewhere",
            world -> used(world, world.open(Tape.on(world.device()))))
        .add(Recur.class, "of a closed tape", ModelSamples::ofClosedTape)
        .add(Recur.class, "without memory", world -> lstm(2, 2))
        .add(Recur.class, "user's", ModelSamples::function);
  }

  private static Recur used(World world, Tape tape) {
    Recur recur = lstm(2, 2).on(world.device(), 1);
    recur.apply(tape.input(Shape.of(2, 3), 1, 2, 3, 4, 5, 6));
    return recur;
  }

  private static Recur function(World world) {
    Cell.StepFunction sum = (h, x) -> Step.step(h.add(x), h);
    return new Recur(sum, Parameter.zeros(Shape.of(2, 1))).on(world.device(), 1);
  }

  private static void cells(Samples samples) {
    samples
        .add(Cell.class, "lstm", world -> placed(world, new LSTMCell(2, 2)))
        .add(Cell.class, "user's", world -> function(world).cell())
        .add(StackedCell.class, "gru", world -> placed(world, new GRUCell(2, 2)))
        .add(LSTMCell.class, "lstm", world -> placed(world, new LSTMCell(2, 2)))
        .add(GRUCell.class, "gru", world -> placed(world, new GRUCell(2, 2)))
        .add(GRUv3Cell.class, "gruV3", world -> placed(world, new GRUv3Cell(2, 2)))
        .add(RNNCell.class, "rnn", world -> placed(world, new RNNCell(2, 2, Elementwise.TANH)))
        .add(RNNCell.class, "without memory", world -> new RNNCell(2, 2, Elementwise.RELU))
        .add(Zoneout.class, "gru", world -> placed(world, Zoneout.of(new GRUCell(2, 2), 0.5f)))
        .add(
            RecurrentDropout.class,
            "gru",
            world -> placed(world, RecurrentDropout.of(new GRUCell(2, 2), 0.5f)))
        .add(
            WeightDrop.class,
            "gru",
            world -> placed(world, WeightDrop.of(new GRUCell(2, 2), 0.5f, "Wh")))
        .add(
            Cell.StepFunction.class,
            "sum",
            world -> (Cell.StepFunction) (h, x) -> Step.step(h.add(x), h))
        .add(
            Cell.StepFunction.class,
            "changes the state's size",
            world -> (Cell.StepFunction) (h, x) -> Step.step(h.rows(0, 1), h))
        .add(Matrix.class, "dense 2×2", world -> Matrix.dense(2, 2))
        .add(Matrix.class, "diagonal 8×2", world -> Matrix.diagonal(8, 2))
        .add(Matrix.class, "dense 2×3 with memory", world -> Matrix.dense(parameter(world)));
  }

  private static <C extends Cell> C placed(World world, C cell) {
    new Recur(cell).on(world.device(), 1);
    return cell;
  }

  private static void states(Samples samples) {
    samples
        .add(State.class, "h and c", world -> State.of(square(world), square(world)))
        .add(State.class, "h", world -> State.of(square(world)))
        .add(State.class, "none", world -> State.of())
        .add(State.class, "wrong size", world -> State.of(variable(world), variable(world)))
        .add(
            State.class,
            "of another device",
            world -> lstm(2, 2).on(world.devices().other(), 1).state())
        .add(Step.class, "step", world -> Step.step(square(world), square(world)));
  }

  private static Tensor square(World world) {
    return world.tape().variable(Shape.of(2, 3), 1, 2, 3, 4, 5, 6);
  }

  private static void snapshots(Samples samples) {
    Snapshot.Part part = new Snapshot.Part(2, 1, new float[] {1, 2});
    samples
        .add(Snapshot.class, "of the model", world -> snapshot(world))
        .add(Snapshot.class, "empty", world -> new Snapshot(List.of()))
        .add(Snapshot.class, "of an rnn", world -> rnn(2, 2).on(world.device(), 1).save())
        .add(
            MemorySegment.class,
            "a snapshot",
            world -> MemorySegment.ofArray(snapshot(world).toBytes()))
        .add(MemorySegment.class, "no bytes", world -> MemorySegment.ofArray(new byte[0]))
        .add(MemorySegment.class, "5 bytes", world -> MemorySegment.ofArray(new byte[5]))
        .add(byte[].class, "a snapshot", world -> snapshot(world).toBytes());
    String list = "java.util.List<java.util.List<io.recur.nn.Snapshot$Part>>";
    samples.add(list, "one", world -> List.of(List.of(part))).add(list, "none", world -> List.of());
  }

  private static Snapshot snapshot(World world) {
    world.model().apply(world.tape().input(1, 2));
    return world.model().save();
  }

  private static void training(Samples samples) {
    samples
        .add(Optimiser.class, "adam", world -> new Adam(0.1f))
        .add(Optimiser.class, "of another model", ModelSamples::ofAnother)
        .add(Schedule.class, "constant", world -> Schedule.constant(0.1f))
        .add(Schedule.class, "not finite", world -> (Schedule) step -> Float.NaN)
        .add(Trainer.class, "trainer", world -> trainer(world))
        .add(Trainer.Loss.class, "loss", world -> (Trainer.Loss) chunk -> loss(world))
        .add(Trainer.Loss.class, "no scalar", world -> (Trainer.Loss) chunk -> square(world))
        .add(
            Trainer.Loss.class,
            "not finite",
            world -> (Trainer.Loss) chunk -> loss(world).scale(Float.NaN))
        .add(Trainer.Listener.class, "stops", world -> (Trainer.Listener) event -> false)
        .add(Batches.class, "batches", world -> batches(world))
        .add(Batches.Loss.class, "loss", world -> (Batches.Loss) (tape, examples) -> loss(world))
        .add(Fit.class, "fit", world -> fit(world))
        .add(Consumer.class, "takes", world -> (Consumer<Object>) value -> {})
        .add(
            ToDoubleFunction.class,
            "a number",
            world -> (ToDoubleFunction<Object>) value -> value.hashCode())
        .add(
            PrintStream.class, "nowhere", world -> new PrintStream(OutputStream.nullOutputStream()))
        .add(Fit.Listener.class, "stops", world -> (Fit.Listener) pass -> false)
        .add(Streams.class, "streams", world -> new Streams(new int[] {0, 1, 0, 1, 0, 1}, 2, 1, 2))
        .add(
            Streams.class,
            "bad elements",
            world -> new Streams(new int[] {0, 7, -1, 1, 0, 1}, 2, 1, 2));
    String floats = "java.util.List<float[]>";
    samples
        .add(floats, "two of 6", world -> List.of(new float[6], new float[6]))
        .add(floats, "none", world -> List.of())
        .add(floats, "short", world -> List.of(new float[1], new float[2]));
    String sequences = "java.util.List<float[][]>";
    samples
        .add(sequences, "2 of 1×2", world -> List.of(new float[1][2], new float[1][2]))
        .add(sequences, "none", world -> List.of())
        .add(sequences, "empty", world -> List.<float[][]>of(new float[0][]))
        .add(sequences, "of no features", world -> List.<float[][]>of(new float[1][0]))
        .add(sequences, "ragged", world -> List.of(new float[2][2], new float[1][3]))
        .addWithNull(sequences, "with a null row", world -> List.<float[][]>of(new float[2][]));
  }

  private static Tensor loss(World world) {
    return world.model().apply(world.tape().input(1, 2)).sum();
  }

  /** A training that has had a pass; a listener stops it after each further one. */
  private static Fit fit(World world) {
    Fit fit =
        new Trainer(world.model(), new Sgd(0.1f), world.tape())
            .fit(batches(world))
            .onPass(pass -> false);
    fit.run(1);
    return fit;
  }

  private static Batches batches(World world) {
    return Batches.carried(1, (tape, chunk) -> loss(world));
  }

  private static Trainer trainer(World world) {
    return new Trainer(world.model(), new Adam(0.1f), world.tape()).onStep(event -> false);
  }

  private static Optimiser ofAnother(World world) {
    Optimiser sgd = new Sgd(0.1f);
    sgd.step(rnn(2, 3).on(world.device(), 1).parameters());
    return sgd;
  }

  private static void files(Samples samples) {
    String strings = "java.util.Map<java.lang.String, java.lang.String>";
    samples
        .add(strings, "one", world -> Map.of("key", "value"))
        .add(strings, "none", world -> Map.of())
        .addWithNull(strings, "a null value", world -> Collections.singletonMap("key", null))
        .add(BatchNorm.class, "of 2 rows", world -> new BatchNorm(2))
        .add(Npy.class, "2×2", world -> new Npy(new int[] {2, 2}, new float[4]))
        .add(StateDict.class, "one tensor", ModelSamples::stateDict)
        .add(KerasFile.class, "weights", ModelSamples::kerasFile)
        .add(MODULES, "a dense layer", world -> Map.of("head", new Dense(2, 2, Elementwise.TANH)))
        .add(OnnxExport.class, "of a chain", world -> OnnxExport.of(world.model()))
        .add(OnnxExport.class, "without memory", world -> OnnxExport.of(chain(lstm(2, 2))))
        .add(OnnxExport.class, "of classes", world -> OnnxExport.of(world.model()).oneHot())
        .add(MODULES, "none", world -> Map.of())
        .addWithNull(MODULES, "a null layer", world -> Collections.singletonMap("head", null))
        .add(Map.class, "none", world -> Map.of())
        .add(Set.class, "none", world -> Set.of())
        .add(List.class, "none", world -> List.of())
        .addWithNull(
            Map.class.getTypeName(), "null", world -> Collections.singletonMap(null, null));
  }

  private static KerasFile kerasFile(World world) throws Exception {
    return KerasFile.read(Resource.file("/keras/text.weights.h5"));
  }

  /** A file of the folder, which a call may close. */
  private static StateDict stateDict(World world) throws IOException {
    Path file = world.devices().folder.resolve("state-dict");
    if (!Files.exists(file)) {
      StoredTensor weight = new StoredTensor(new int[] {2, 2}, new float[4]);
      new Safetensors(Map.of(), Map.of("weight", weight)).write(file);
    }
    return StateDict.read(file);
  }
}
