package io.recur.cli;

import static io.recur.grad.CrossEntropy.crossEntropy;

import io.recur.device.Device;
import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import io.recur.nn.Chain;
import io.recur.train.Streams;
import java.util.Arrays;

/**
 * The end of a text, which a training does not learn. A training measures a part of it at intervals
 * and the whole of it when the training ends. Neither changes the state of the training.
 */
final class HeldOut {
  /** Forward is about a third of a training step, so one measured step per 20 costs some 2 %. */
  private static final int STEPS_PER_MEASURED = 20;

  private static final int MOST_MEASURED = 16;
  private static final int WHOLE_STEPS = 1024;
  private static final double LOG_2 = Math.log(2);

  private final CharacterModel model;
  private final Device device;
  private final int[] text;
  private final Streams streams;
  private final int measured;

  /**
   * Holds the end of a text.
   *
   * @param text the numbers of its characters, 2 or more
   * @param batch the batch of the training
   * @param steps the steps per chunk of the training
   */
  HeldOut(CharacterModel model, Device device, int[] text, int batch, int steps) {
    this.model = model;
    this.device = device;
    this.text = text;
    int fitting = Math.max(1, Math.min(batch, text.length / (steps + 1)));
    int length = Math.min(steps, text.length / fitting - 1);
    this.streams = new Streams(text, model.vocabulary().size(), fitting, length);
    this.measured = Math.clamp(streams.chunks() / MOST_MEASURED, 1, MOST_MEASURED);
  }

  /** {@return the steps of the training from one measure to the next} */
  int every() {
    return STEPS_PER_MEASURED * measured;
  }

  /** {@return the mean bits per character over the part, which is always the same} */
  double part() {
    double nats = 0;
    try (Chain reader = model.chain().fork();
        Tape tape = Tape.inference(device)) {
      reader.reset();
      for (int i = 0; i < measured; i++) {
        Tensor scores = reader.apply(streams.input(tape, i));
        nats += crossEntropy(scores, streams.target(tape, i)).scalar();
        tape.clear();
      }
    }
    return nats / measured / LOG_2;
  }

  /** {@return the mean bits per character over the whole, as one stream from a fresh state} */
  double whole() {
    double nats = 0;
    try (Chain reader = model.chain().fork();
        Tape tape = Tape.inference(device)) {
      reader.reset();
      for (int from = 0; from < text.length - 1; from += WHOLE_STEPS) {
        int steps = Math.min(WHOLE_STEPS, text.length - 1 - from);
        Shape shape = Shape.of(model.vocabulary().size(), 1, steps);
        Tensor scores =
            reader.apply(tape.oneHot(shape, Arrays.copyOfRange(text, from, from + steps)));
        Tensor target = tape.oneHot(shape, Arrays.copyOfRange(text, from + 1, from + 1 + steps));
        nats += crossEntropy(scores, target).scalar() * (double) steps;
        tape.clear();
      }
    }
    return nats / (text.length - 1) / LOG_2;
  }
}
