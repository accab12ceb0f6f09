package io.recur.grad;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Near;
import io.recur.Reference;
import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A loss over lengths is that of the sequences one by one, added up or divided by all valid steps.
 * Scores and targets behind the ends are NaN.
 */
class LengthLossesTest {
  private static final int ROWS = 4;
  private static final int[] LENGTHS = {2, 0, 5, 3};
  private static final int BATCH = 4;
  private static final int TIME = 5;
  private static final int STEPS = 10;
  private static final double TOLERANCE = 1e-5;

  @AutoClose private final Device device = Devices.here();
  @AutoClose private final Tape tape = Tape.on(device);

  /** A loss of sequences with lengths and of one sequence, and by how many values its mean is. */
  private enum Loss {
    SQUARED(ROWS) {
      @Override
      Tensor of(Padded y, Padded target, LossReduction reduction) {
        return MeanSquaredError.meanSquaredError(y, target, reduction);
      }

      @Override
      Tensor sum(Tensor y, Tensor target) {
        return Functions.square(y.sub(target)).sum();
      }
    },
    L1(ROWS) {
      @Override
      Tensor of(Padded y, Padded target, LossReduction reduction) {
        return L1Loss.l1Loss(y, target, reduction);
      }

      @Override
      Tensor sum(Tensor y, Tensor target) {
        return L1Loss.l1Loss(y, target, LossReduction.SUM);
      }
    },
    HUBER(ROWS) {
      @Override
      Tensor of(Padded y, Padded target, LossReduction reduction) {
        return HuberLoss.huberLoss(y, target, 0.5f, reduction);
      }

      @Override
      Tensor sum(Tensor y, Tensor target) {
        return HuberLoss.huberLoss(y, target, 0.5f, LossReduction.SUM);
      }
    },
    SMOOTH_L1(ROWS) {
      @Override
      Tensor of(Padded y, Padded target, LossReduction reduction) {
        return HuberLoss.smoothL1Loss(y, target, 0.5f, reduction);
      }

      @Override
      Tensor sum(Tensor y, Tensor target) {
        return HuberLoss.smoothL1Loss(y, target, 0.5f, LossReduction.SUM);
      }
    },
    BINARY(ROWS) {
      @Override
      Tensor of(Padded y, Padded target, LossReduction reduction) {
        return BinaryCrossEntropy.binaryCrossEntropy(y, target, reduction);
      }

      @Override
      Tensor sum(Tensor y, Tensor target) {
        return BinaryCrossEntropy.binaryCrossEntropy(y, target, LossReduction.SUM);
      }
    },
    WEIGHED_BINARY(ROWS) {
      @Override
      Tensor of(Padded y, Padded target, LossReduction reduction) {
        return BinaryCrossEntropy.binaryCrossEntropy(
            y, target, y.tape().input(1, 2, 3, 4), reduction);
      }

      @Override
      Tensor sum(Tensor y, Tensor target) {
        return BinaryCrossEntropy.binaryCrossEntropy(
            y, target, y.tape().input(1, 2, 3, 4), LossReduction.SUM);
      }
    },
    MIXTURE(1) {
      @Override
      Tensor of(Padded y, Padded target, LossReduction reduction) {
        Padded two = y.map(valid -> valid.rows(0, 2));
        Padded one = target.map(valid -> valid.rows(0, 1));
        return MixtureLoss.gaussianMixtureLoss(
            two, y.map(valid -> valid.rows(1, 3)), y.map(v -> v.rows(2, 4)), one, reduction);
      }

      @Override
      Tensor sum(Tensor y, Tensor target) {
        return MixtureLoss.gaussianMixtureLoss(
            y.rows(0, 2), y.rows(1, 3), y.rows(2, 4), target.rows(0, 1), LossReduction.SUM);
      }
    };

    private final int valuesPerStep;

    Loss(int valuesPerStep) {
      this.valuesPerStep = valuesPerStep;
    }

    abstract Tensor of(Padded y, Padded target, LossReduction reduction);

    abstract Tensor sum(Tensor y, Tensor target);
  }

  private static boolean isValid(int column) {
    return column / BATCH < LENGTHS[column % BATCH];
  }

  private static float[] values(long seed) {
    Random random = new Random(seed);
    float[] values = new float[ROWS * BATCH * TIME];
    for (int i = 0; i < values.length; i++) {
      float value = random.nextFloat();
      values[i] = isValid(i / ROWS) ? value : Float.NaN;
    }
    return values;
  }

  private Tensor data(long seed) {
    return tape.variable(Shape.of(ROWS, BATCH, TIME), values(seed));
  }

  private static int[] columns(int b) {
    int[] columns = new int[LENGTHS[b]];
    Arrays.setAll(columns, t -> t * BATCH + b);
    return columns;
  }

  @ParameterizedTest
  @EnumSource
  void isTheSumOfTheSequencesOneByOne(Loss loss) {
    Tensor y = data(1);
    Tensor target = data(2);
    double[] perSequence = new double[BATCH];
    Tensor sum = null;
    for (int b = 0; b < BATCH; b++) {
      if (LENGTHS[b] > 0) {
        Tensor one = loss.sum(y.take(columns(b)), target.take(columns(b)));
        perSequence[b] = one.scalar();
        sum = sum == null ? one : sum.add(one);
      }
    }
    double total = sum.scalar();
    tape.backward(sum);
    double[] gradient = Reference.doubles(y.gradientArray());
    Padded all = Padded.of(y, LENGTHS);
    Padded targets = Padded.of(target, LENGTHS);
    Tensor none = loss.of(all, targets, LossReduction.NONE);
    assertEquals(Shape.of(1, BATCH), none.shape());
    Near.check("per sequence", perSequence, none.toArray(), TOLERANCE);
    for (LossReduction reduction : LossReduction.values()) {
      int by = reduction == LossReduction.MEAN ? loss.valuesPerStep * STEPS : 1;
      Tensor value = loss.of(all, targets, reduction).sum();
      Near.check(reduction + " value", total / by, value.scalar(), TOLERANCE);
      tape.backward(value);
      double[] expected = Arrays.stream(gradient).map(g -> g / by).toArray();
      Near.check(reduction + " gradient", expected, y.gradientArray(), TOLERANCE);
    }
  }

  /** Against single sequences: weights, an ignored target and smoothing. */
  @Test
  void crossEntropyIsThatOfTheValidSteps() {
    int[] classes = new int[BATCH * TIME];
    for (int j = 0; j < classes.length; j++) {
      classes[j] = !isValid(j) ? 77 : j % 3 == 0 ? CrossEntropyLoss.IGNORED : j % ROWS;
    }
    CrossEntropyLoss plain = new CrossEntropyLoss();
    for (CrossEntropyLoss loss :
        new CrossEntropyLoss[] {plain, plain.weights(1, 2, 0.5f, 3).smoothing(0.2f)}) {
      Tensor y = data(3);
      double[] perSequence = new double[BATCH];
      for (int b = 0; b < BATCH; b++) {
        int[] its = Arrays.stream(columns(b)).map(j -> classes[j]).toArray();
        if (Arrays.stream(its).anyMatch(c -> c >= 0)) {
          CrossEntropyLoss sum = loss.reduction(LossReduction.SUM);
          perSequence[b] = sum.of(y.take(columns(b)), its).scalar();
        }
      }
      Padded x = Padded.of(y, LENGTHS);
      Tensor none = loss.reduction(LossReduction.NONE).of(x, classes);
      assertEquals(Shape.of(1, BATCH), none.shape());
      Near.check("per sequence", perSequence, none.toArray(), TOLERANCE);
      Tensor sum = loss.reduction(LossReduction.SUM).of(x, classes);
      Near.check("sum", Arrays.stream(perSequence).sum(), sum.scalar(), TOLERANCE);
      int[] valid = Arrays.stream(x.places()).map(j -> classes[j]).toArray();
      Near.check(
          "mean", loss.of(x.valid(), valid).scalar(), loss.of(x, classes).scalar(), TOLERANCE);
      tape.backward(loss.of(x, classes));
      float[] gradient = y.gradientArray();
      for (int i = 0; i < gradient.length; i++) {
        assertEquals(!isValid(i / ROWS) || classes[i / ROWS] < 0, gradient[i] == 0, "value " + i);
      }
    }
  }

  @Test
  void targetsMayBeOneHotOrDistributions() {
    int[] classes = new int[BATCH * TIME];
    Arrays.setAll(classes, j -> isValid(j) ? j % ROWS : 0);
    Padded x = Padded.of(data(3), LENGTHS);
    Padded hot = Padded.of(tape.oneHot(Shape.of(ROWS, BATCH, TIME), classes), LENGTHS);
    float expected = new CrossEntropyLoss().of(x, classes).scalar();
    assertEquals(expected, new CrossEntropyLoss().of(x, hot).scalar());
    assertEquals(expected, CrossEntropy.crossEntropy(x, hot).scalar());
    Padded dense = hot.map(valid -> valid.scale(1));
    Near.check("dense", expected, CrossEntropy.crossEntropy(x, dense).scalar(), TOLERANCE);
    Thrown.says(
        ShapeException.class, () -> new CrossEntropyLoss().of(x, dense), "need one-hot columns");
  }

  @Test
  void ctcTakesTheLengths() {
    Tensor y = data(5);
    int[][] targets = {{1}, {}, {2, 1}, {3}};
    CtcLoss loss = new CtcLoss().reduction(LossReduction.SUM);
    Tensor expected = loss.of(y, LENGTHS, targets);
    assertEquals(expected.scalar(), loss.of(Padded.of(y, LENGTHS), targets).scalar());
  }

  @Test
  void otherLengthsOrShapesThrow() {
    Padded y = Padded.of(data(1), LENGTHS);
    Padded other = Padded.of(data(1), 2, 0, 5, 2);
    Padded wide = y.map(valid -> Concat.rows(valid, valid));
    for (Loss loss : Loss.values()) {
      Supplier<Tensor> call = () -> loss.of(y, other, LossReduction.MEAN);
      Thrown.says(
          ShapeException.class,
          call::get,
          "lengths [2, 0, 5, 3] of 5 and [2, 0, 5, 2] of 5; need equal lengths and time");
      if (loss != Loss.MIXTURE) {
        Thrown.says(
            ShapeException.class, () -> loss.of(y, wide, LossReduction.NONE), "need equal shapes");
      }
    }
    Thrown.says(
        ShapeException.class,
        () -> new CrossEntropyLoss().of(y, 1, 2, 3),
        "crossEntropy: scores=4×4×5, 3 targets; need one per column, 20");
    int[] ignored = new int[BATCH * TIME];
    Arrays.fill(ignored, CrossEntropyLoss.IGNORED);
    Thrown.says(
        IllegalArgumentException.class,
        () -> new CrossEntropyLoss().of(y, ignored),
        "a loss needs one that is not");
  }
}
