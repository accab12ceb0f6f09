package io.recur.hostile;

import static io.recur.hostile.World.SHAPE;

import io.recur.device.Buffer;
import io.recur.device.Columns;
import io.recur.device.Device;
import io.recur.device.OneThread;
import io.recur.device.Pointwise;
import io.recur.grad.DropConnect;
import io.recur.grad.OneHot;
import io.recur.grad.Op;
import io.recur.grad.OpContext;
import io.recur.grad.Padded;
import io.recur.grad.Parameter;
import io.recur.grad.Resident;
import io.recur.grad.Shape;
import io.recur.grad.Slabs;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.grad.TensorOperations;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** Values of the plain types and of the rooms device and grad. */
final class TensorSamples {
  private static final float[] SIX = {1, 2, 3, 4, 5, 6};

  private static final String RATES = "java.util.Map<io.recur.grad.Parameter, java.lang.Float>";

  private TensorSamples() {}

  static void addTo(Samples samples) {
    plain(samples);
    device(samples);
    shapes(samples);
    tensors(samples);
    parameters(samples);
    tapes(samples);
  }

  private static void plain(Samples samples) {
    samples
        .constants(boolean.class, true, false)
        .constants(int.class, 1, 0, -1, 2, 3, 65536, Integer.MAX_VALUE, Integer.MIN_VALUE)
        .constants(
            long.class,
            1L,
            0L,
            -1L,
            6L,
            (1L << 31) + 1,
            (1L << 62) + 1,
            Long.MAX_VALUE,
            Long.MIN_VALUE)
        .constants(float.class, 0.5f, 0f, -1f, 1f, Float.NaN, Float.POSITIVE_INFINITY, 1e38f)
        .constants(double.class, 0.5, 0.0, -1.0, 1.0, Double.NaN, Double.NEGATIVE_INFINITY, 1e300)
        .constants(String.class, "cpu", "", "w", "cuda:9999", "a\u0000b/..\n\uD800")
        .constants(Object.class, "an object")
        .constants(Class.class, Nothing.class, Op.class, String.class)
        .constants(OptionalLong.class, OptionalLong.of(1), OptionalLong.empty())
        .add(Random.class, "random", world -> new Random(1))
        .add(Runnable.class, "nothing to do", world -> (Runnable) () -> {})
        .add(Supplier.class, "an op", world -> (Supplier<Object>) Nothing::new)
        .addWithNull(
            Supplier.class.getTypeName(), "supplies null", world -> (Supplier<Object>) () -> null)
        .add(Path.class, "a folder", world -> world.devices().folder)
        .add(Path.class, "missing", world -> world.devices().folder.resolve("missing/file"));
    for (int[] value :
        new int[][] {{2, 3}, {}, {1, 0, 1}, {0}, {-1, 2, 2}, {1 << 16, 1 << 16}, {1, 2, 3, 4}}) {
      samples.add(int[].class, Arrays.toString(value), world -> value.clone());
    }
    for (float[] value : new float[][] {SIX, {}, {1}, {1, 2, 3, 4, 5, 6, 7}, {1, Float.NaN}}) {
      samples.add(float[].class, Arrays.toString(value), world -> value.clone());
    }
    samples.add(byte[].class, "64 bytes", world -> new byte[64]);
    samples.add(byte[].class, "no bytes", world -> new byte[0]);
  }

  private static void device(Samples samples) {
    samples
        .add(Device.class, "live", World::device)
        .add(Device.class, "closed", world -> world.devices().closed)
        .add(Device.class, "another", world -> world.devices().other())
        .add(OneThread.class, "entered", world -> new OneThread("sample", "use one").enter())
        .add(OneThread.class, "closed", world -> new OneThread("sample", "use one"))
        .add(Pointwise.class, "kernels", world -> world.device().pointwise())
        .add(Pointwise.class, "of a closed device", world -> world.devices().closed.pointwise())
        .add(Columns.class, "kernels", world -> world.device().columns())
        .add(Columns.class, "of a closed device", world -> world.devices().closed.columns())
        .add(Buffer.class, "6 floats", world -> filled(world, SIX))
        .add(Buffer.class, "1 float", world -> world.buffer(1))
        .add(Buffer.class, "indexes 1 0 1", world -> world.indexes(1, 0, 1))
        .add(Buffer.class, "bad indexes", world -> world.indexes(-1, 1 << 30, 7))
        .add(Buffer.class, "of another device", world -> world.devices().foreign())
        .add(Buffer.class, "of a closed slab", world -> world.devices().ofClosedSlab)
        .add(Buffer.class, "of a closed tape", TensorSamples::ofClosedTape);
  }

  private static Buffer filled(World world, float... values) {
    Buffer buffer = world.buffer(values.length);
    buffer.write(values);
    return buffer;
  }

  private static Buffer ofClosedTape(World world) {
    Tape tape = world.open(Tape.on(world.device()));
    Buffer buffer = tape.input(SIX).value();
    tape.close();
    return buffer;
  }

  private static void shapes(Samples samples) {
    for (Shape shape :
        List.of(
            SHAPE,
            Shape.of(1),
            Shape.of(6),
            Shape.of(3, 2),
            Shape.of(2, 1, 3),
            Shape.of(1 << 15, 1 << 15, 1),
            Shape.of(1, Integer.MAX_VALUE))) {
      samples.add(Shape.class, shape.toString(), world -> shape);
    }
  }

  private static void tensors(Samples samples) {
    samples
        .add(Tensor.class, "2×3", TensorSamples::variable)
        .add(Tensor.class, "3×2", world -> world.tape().variable(Shape.of(3, 2), SIX))
        .add(Tensor.class, "2", world -> world.tape().input(1, 2))
        .add(Tensor.class, "1", world -> world.tape().variable(Shape.of(1), 1))
        .add(Tensor.class, "2×1×3", world -> world.tape().variable(Shape.of(2, 1, 3), SIX))
        .add(Tensor.class, "view", world -> variable(world).columns(1, 3))
        .add(Tensor.class, "one-hot", world -> oneHot(world))
        .add(Tensor.class, "constant", world -> Tensor.constant(SHAPE, filled(world, SIX)))
        .add(
            Tensor.class,
            "of a closed buffer",
            world -> Tensor.constant(SHAPE, ofClosedTape(world)))
        .add(
            Tensor.class,
            "of another device",
            world -> Tensor.constant(SHAPE, world.devices().foreign()))
        .add(Tensor.class, "parameter", TensorSamples::parameter)
        .add(Tensor.class, "parameter without memory", world -> Parameter.of(SHAPE, SIX))
        .add(Tensor.class, "stale", TensorSamples::stale)
        .add(Tensor.class, "of a closed tape", world -> closed(world))
        .add(
            Tensor.class,
            "of another tape",
            world -> world.open(Tape.on(world.device())).input(SHAPE, SIX))
        .add(OneHot.class, "one-hot", world -> oneHot(world))
        .add(
            OneHot.class,
            "stale",
            world -> {
              OneHot hot = oneHot(world);
              world.tape().clear();
              return hot;
            });
    for (Samples.Sample sample : samples.receivers(Tensor.class)) {
      samples.add(TensorOperations.class, sample.name(), sample.maker());
    }
    padded(samples);
    String list = "java.util.List<io.recur.grad.Tensor>";
    samples
        .add(list, "two", world -> List.of(variable(world), variable(world)))
        .add(list, "none", world -> List.of())
        .add(list, "unlike", world -> List.of(variable(world), world.tape().input(1, 2)))
        .add(list, "stale", world -> List.of(stale(world)))
        .addWithNull(list, "with null", world -> Arrays.asList(variable(world), null));
  }

  private static void padded(Samples samples) {
    samples
        .add(Padded.class, "one of 2 steps", world -> sequences(world, 2))
        .add(Padded.class, "of all steps", world -> sequences(world, 3))
        .add(
            Padded.class,
            "one-hot",
            world -> Padded.of(world.tape().oneHot(Shape.of(2, 3, 1), 1, 0, 1), 1, 0, 1))
        .add(
            Padded.class,
            "stale",
            world -> {
              Padded padded = sequences(world, 2);
              world.tape().clear();
              return padded;
            })
        .add(
            "java.util.function.UnaryOperator<io.recur.grad.Tensor>",
            "twice",
            world -> (UnaryOperator<Tensor>) x -> x.scale(2))
        .addWithNull(
            "java.util.function.UnaryOperator<io.recur.grad.Tensor>",
            "gives null",
            world -> (UnaryOperator<Tensor>) x -> null)
        .add(
            "java.util.function.UnaryOperator<io.recur.grad.Padded>",
            "scales",
            world -> (UnaryOperator<Padded>) x -> x.map(data -> data.scale(2)))
        .addWithNull(
            "java.util.function.UnaryOperator<io.recur.grad.Padded>",
            "gives null",
            world -> (UnaryOperator<Padded>) x -> null)
        .add("java.util.List<int[]>", "two", world -> List.of(new int[] {1}, new int[] {0, 1}))
        .add("java.util.List<int[]>", "empty", world -> List.of(new int[0]))
        .addWithNull("java.util.List<int[]>", "null", world -> Collections.singletonList(null));
  }

  private static Padded sequences(World world, int length) {
    return Padded.of(world.tape().variable(Shape.of(2, 1, 3), SIX), length);
  }

  static Tensor variable(World world) {
    return world.tape().variable(SHAPE, SIX);
  }

  private static OneHot oneHot(World world) {
    return world.tape().oneHot(SHAPE, 1, 0, 1);
  }

  private static Tensor stale(World world) {
    Tensor tensor = variable(world);
    world.tape().clear();
    return tensor;
  }

  private static Tensor closed(World world) {
    Tape tape = world.open(Tape.on(world.device()));
    Tensor tensor = tape.input(SHAPE, SIX);
    tape.close();
    return tensor;
  }

  static Parameter parameter(World world) {
    return Parameter.of(SHAPE, SIX).on(world.device());
  }

  private static void parameters(Samples samples) {
    String list = "java.util.List<io.recur.grad.Parameter>";
    samples
        .add(Parameter.class, "2×3", TensorSamples::parameter)
        .add(Parameter.class, "vector", world -> Parameter.zeros(Shape.of(2)).on(world.device()))
        .add(Parameter.class, "fixed", world -> Parameter.fixed(SHAPE, SIX).on(world.device()))
        .add(Parameter.class, "without memory", world -> Parameter.glorot(2, 3))
        .add(
            Parameter.class,
            "of another device",
            world -> Parameter.of(SHAPE, SIX).on(world.devices().other()))
        .add(
            Parameter.Initialiser.class,
            "fills",
            world -> (Parameter.Initialiser) (values, random) -> Arrays.fill(values, 1))
        .add(Slabs.class, "of a parameter", world -> parameter(world).placement().slabs())
        .add(Parameter.Placement.class, "of a parameter", world -> parameter(world).placement())
        .add(list, "one", world -> List.of(parameter(world)))
        .add(list, "none", world -> List.of());
  }

  private static void tapes(Samples samples) {
    samples
        .add(Tape.class, "live", World::tape)
        .add(Tape.class, "inference", world -> world.open(Tape.inference(world.device())))
        .add(Tape.class, "closed", World::closedTape)
        .add(Tape.class, "of another device", world -> world.open(Tape.on(world.devices().other())))
        .add(OpContext.class, "open", world -> OpContext.of("sample", variable(world)))
        .add(
            DropConnect.Scope.class,
            "open",
            world -> DropConnect.on(world.tape(), Map.of(parameter(world), 0.5f)))
        .add(RATES, "of a parameter", world -> Map.of(parameter(world), 0.5f))
        .add(RATES, "none", world -> Map.of())
        .add(RATES, "no rate", world -> Map.of(parameter(world), 2f))
        .addWithNull(RATES, "null", world -> Collections.singletonMap(parameter(world), null))
        .add(Op.class, "nothing", world -> new Nothing())
        .add(Resident.class, "somebody", world -> (Resident) () -> "somebody");
  }

  /** An operation that does nothing. */
  static final class Nothing implements Op {
    @Override
    public void backward() {}
  }
}
