package io.recur.train;

import static io.recur.grad.CrossEntropy.crossEntropy;
import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.dropout;
import static io.recur.nn.Layers.gru;
import static io.recur.nn.Layers.gruV3;
import static io.recur.nn.Layers.lstm;
import static io.recur.nn.Layers.rnn;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.cuda.CpuDouble;
import io.recur.grad.Tape;
import io.recur.nn.Chain;
import io.recur.nn.Layer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The transfers to and from a GPU: a step's input goes there in one copy with each list, its answer
 * comes back.
 */
class TransfersTest {
  private static final int CLASSES = 7;

  /** Launches of single operations, transfers, and whatever waits or allocates. */
  private static final List<String> CALLS =
      List.of(
          "cuLaunchKernel",
          "cublasGemmEx_64",
          "cublasSgemv_v2_64",
          "cuMemcpyDtoDAsync_v2",
          "cuMemsetD32Async",
          "cuMemAllocAsync",
          "cuMemFreeAsync",
          "cuMemcpyHtoDAsync_v2",
          "cuMemcpyDtoHAsync_v2",
          "cuStreamSynchronize");

  private static final int WARM_UP = 5;
  private static final int STEPS = 4;

  @BeforeEach
  void onlyWithTheDouble() {
    CpuDouble.assumeHere();
  }

  /** {@return the number of each call per step in the steady state, without zeros} */
  private static Map<String, Long> calls(Runnable step) {
    for (int i = 0; i < WARM_UP; i++) {
      step.run();
    }
    List<Long> before = new ArrayList<>(CALLS.stream().map(CpuDouble::count).toList());
    for (int i = 0; i < STEPS; i++) {
      step.run();
    }
    Map<String, Long> made = new TreeMap<>();
    for (int i = 0; i < CALLS.size(); i++) {
      long count = CpuDouble.count(CALLS.get(i)) - before.get(i);
      if (count != 0) {
        made.put(CALLS.get(i), count / STEPS);
      }
    }
    return made;
  }

  private static void trains(Layer layer) {
    try (Device device = Devices.opened();
        Tape tape = Tape.on(device)) {
      Chain model = chain(layer, dense(16, CLASSES)).on(device, 1);
      int[] text = new int[3 * 17];
      for (int i = 0; i < text.length; i++) {
        text[i] = i * i % CLASSES;
      }
      Streams streams = new Streams(text, CLASSES, 3, 16);
      Trainer trainer =
          new Trainer(model, new Adam(0.002f), tape).clipNorm(5).schedule(n -> 0.1f / (n + 1));
      Trainer.Loss loss =
          i -> crossEntropy(model.apply(streams.input(tape, i)), streams.target(tape, i));
      Map<String, Long> expected =
          Map.of("cuMemcpyHtoDAsync_v2", 2L, "cuMemcpyDtoHAsync_v2", 1L, "cuStreamSynchronize", 1L);
      assertEquals(expected, calls(() -> trainer.pass(0, 1, loss)), layer.describe());
    }
  }

  @Test
  void aTrainingStepMovesInputRateAndLossAlone() {
    trains(lstm(CLASSES, 16));
    trains(gru(CLASSES, 16));
    trains(gruV3(CLASSES, 16));
    trains(rnn(CLASSES, 16));
    trains(chain(lstm(CLASSES, 16), dropout(0.2f)));
  }

  @Test
  void aStreamingStepMovesInputAndOutputAlone() {
    for (Layer layer : List.of(lstm(CLASSES, 16), gru(CLASSES, 16), gruV3(CLASSES, 16))) {
      try (Device device = Devices.opened();
          Tape tape = Tape.inference(device)) {
        Chain model = chain(layer, dense(16, CLASSES)).on(device, 1);
        float[] x = new float[CLASSES];
        float[] y = new float[CLASSES];
        Runnable step =
            () -> {
              model.apply(tape.input(x)).value().read(y);
              tape.clear();
            };
        Map<String, Long> expected =
            Map.of(
                "cuMemcpyHtoDAsync_v2", 1L, "cuMemcpyDtoHAsync_v2", 1L, "cuStreamSynchronize", 1L);
        assertEquals(expected, calls(step), layer.describe());
      }
    }
  }
}
