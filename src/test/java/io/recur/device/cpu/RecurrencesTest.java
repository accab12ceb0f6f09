package io.recur.device.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.device.Guarded;
import io.recur.device.cpu.Kernels.InstructionSet;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.kernels.Packed;
import io.recur.device.kernels.Recurrences;
import io.recur.device.kernels.Recurrences.Array;
import io.recur.device.kernels.Recurrences.Cell;
import io.recur.device.kernels.Recurrences.Sequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The memory and the threads of the kernels for whole recurrences, on every instruction set; that
 * their values are right, the cells' tests show (CellGradientTest, WholeSequenceTest).
 */
@Tag(Devices.CPU)
class RecurrencesTest {
  /** How Wi·x + b reaches the kernel. */
  private enum Input {
    PACKED,
    ONE_HOT,
    SUMS
  }

  private record Case(
      InstructionSet set,
      Cell cell,
      Input input,
      int in,
      int units,
      int batch,
      int time,
      boolean weights) {

    Case(InstructionSet set, Cell cell, Input input, int in, int units, int batch, int time) {
      this(set, cell, input, in, units, batch, time, false);
    }
  }

  static List<InstructionSet> sets() {
    return Kernels.present().stream().filter(set -> set != InstructionSet.JAVA).toList();
  }

  @BeforeAll
  static void kernelsAreThere() {
    assumeTrue(!sets().isEmpty(), "this build has no C kernels: make native, with a C compiler");
  }

  static Stream<Case> cases() {
    List<Case> all = new ArrayList<>();
    for (InstructionSet set : sets()) {
      for (Cell cell : Cell.values()) {
        for (int units : new int[] {1, 3, 16, 17, 63, 64, 65}) {
          for (int batch : new int[] {1, 2, 5, 7}) {
            all.add(new Case(set, cell, Input.PACKED, 3, units, batch, 3));
          }
        }
        for (int batch : new int[] {1, 16, 47, 49, 97}) {
          all.add(new Case(set, cell, Input.PACKED, 13, 35, batch, 5, true));
          all.add(new Case(set, cell, Input.ONE_HOT, 7, 17, batch, 3, true));
        }
        all.add(new Case(set, cell, Input.PACKED, 5, 130, 64, 33, true));
        all.add(new Case(set, cell, Input.PACKED, 257, 33, 49, 2));
        all.add(new Case(set, cell, Input.PACKED, 5, 257, 13, 2));
        all.add(new Case(set, cell, Input.PACKED, 1, 17, 256, 2));
        all.add(new Case(set, cell, Input.PACKED, 4, 20, 1, 101));
        all.add(new Case(set, cell, Input.ONE_HOT, 7, 33, 5, 3));
        all.add(new Case(set, cell, Input.ONE_HOT, 7, 65, 50, 3));
        all.add(new Case(set, cell, Input.SUMS, 7, 33, 5, 3));
        all.add(new Case(set, cell, Input.SUMS, 7, 65, 50, 3));
      }
    }
    return all.stream();
  }

  /** What a sequence computes, forward and backward, in arrays that begin anywhere. */
  private static List<float[]> run(Device device, Case its) {
    Recurrences recurrences = assertNotNullHere(KernelDevice.of(device).recurrences());
    Guarded memory = new Guarded(device, 7);
    int gates = its.cell.gates();
    int recurrent = its.cell == Cell.GRU_V3 ? 2 : gates;
    int units = its.units;
    int states = units * its.batch;
    int all = states * its.time;
    Buffer wi = weights(device, gates * units, its.in, 1);
    Buffer wh = weights(device, recurrent * units, units, 2);
    Buffer wc = weights(device, units, units, 3);
    Sequence s =
        recurrences
            .sequence()
            .begin(
                device.allocate(Recurrences.DESCRIPTION_FLOATS),
                its.cell,
                Elementwise.TANH,
                its.in,
                units,
                its.batch,
                its.time);
    Guarded.Piece h = memory.inOut(first(states, all + states, 4));
    Guarded.Piece c = memory.inOut(first(states, 2 * states, 5));
    Guarded.Piece dh = memory.inOut(states);
    Guarded.Piece dc = memory.inOut(states);
    int steps = its.weights ? Math.min(2, its.time) : its.time;
    Guarded.Piece dgates = memory.output(gates * states * steps);
    Guarded.Piece drecurrent = memory.output(gates * states * steps);
    Guarded.Piece db = memory.inOut(gates * units);
    Guarded.Piece dbh = memory.inOut(units);
    switch (its.input) {
      case PACKED ->
          s.with(Array.WI, recurrences.pack(wi, gates, units, its.in, false).current())
              .with(Array.X, memory.input(its.in * its.batch * its.time).buffer());
      case ONE_HOT ->
          s.with(Array.TABLE, wi)
              .with(Array.INDEX, memory.indexes(its.batch * its.time, its.in).buffer());
      case SUMS -> s.with(Array.SUMS, memory.input(gates * all).buffer());
    }
    s.with(Array.WH, recurrences.pack(wh, recurrent, units, units, false).current())
        .with(Array.WHT, recurrences.pack(wh, recurrent, units, units, true).current())
        .with(Array.B, memory.input(gates * units).buffer())
        .with(Array.TILES, memory.aligned(Math.toIntExact(recurrences.tiles(s))).buffer())
        .with(Array.H, h.buffer())
        .with(Array.DY, memory.input(all).buffer())
        .with(Array.DH, dh.buffer())
        .with(Array.DGATES, dgates.buffer())
        .with(Array.DB, db.buffer());
    List<Guarded.Piece> results = new ArrayList<>(List.of(h, dh, dgates, db));
    switch (its.cell) {
      case LSTM -> {
        s.with(Array.C, c.buffer()).with(Array.DC, dc.buffer());
        results.addAll(List.of(c, dc));
      }
      case GRU -> {
        s.with(Array.BH, memory.input(units).buffer());
        s.with(Array.DRECURRENT, drecurrent.buffer()).with(Array.DBH, dbh.buffer());
        results.addAll(List.of(drecurrent, dbh));
      }
      case GRU_V3 -> {
        Guarded.Piece q = memory.output(all);
        s.with(Array.Q, q.buffer())
            .with(Array.WC, recurrences.pack(wc, 1, units, units, false).current())
            .with(Array.WCT, recurrences.pack(wc, 1, units, units, true).current());
        results.add(q);
      }
      case RNN -> {}
    }
    if (its.weights) {
      Guarded.Piece dwi = memory.inOut(gates * units * its.in);
      Guarded.Piece dwh = memory.inOut(recurrent * units * units);
      s.gradientSteps(steps)
          .with(Array.DTILES, memory.aligned(Math.toIntExact(recurrences.dtiles(s))).buffer())
          .with(Array.DWI, dwi.buffer())
          .with(Array.DWH, dwh.buffer());
      results.addAll(List.of(dwi, dwh));
      if (its.cell == Cell.GRU_V3) {
        Guarded.Piece dwc = memory.inOut(units * units);
        s.with(Array.DWC, dwc.buffer());
        results.add(dwc);
      }
    }
    recurrences.forward(s);
    recurrences.backward(s);
    memory.check();
    return results.stream().map(piece -> piece.buffer().read()).toList();
  }

  private static Recurrences assertNotNullHere(Recurrences recurrences) {
    assertNotNull(recurrences);
    return recurrences;
  }

  private static Buffer weights(Device device, int rows, int columns, long seed) {
    Buffer buffer = device.allocate((long) rows * columns);
    float limit = (float) Math.sqrt(3.0 / columns);
    buffer.write(values(rows * columns, limit, seed));
    return buffer;
  }

  private static float[] values(int n, float limit, long seed) {
    Random random = new Random(seed);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = limit * (2 * random.nextFloat() - 1);
    }
    return values;
  }

  /** Values, then not-a-numbers to be overwritten. */
  private static float[] first(int n, int length, long seed) {
    float[] values = Arrays.copyOf(values(n, 1, seed), length);
    Arrays.fill(values, n, length, Float.NaN);
    return values;
  }

  private static void assertSame(List<float[]> expected, List<float[]> found) {
    assertEquals(expected.size(), found.size());
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(expected.get(i), found.get(i), "result " + i);
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void allIsWrittenAndNothingBeside(Case its) {
    try (Device device = new CpuDevice(its.set, 2)) {
      for (float[] result : run(device, its)) {
        for (float value : result) {
          assertFalse(Float.isNaN(value));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void theNumberOfThreadsDoesNotShow(Case its) {
    try (Device one = new CpuDevice(its.set, 1);
        Device two = new CpuDevice(its.set, 2);
        Device three = new CpuDevice(its.set, 3)) {
      List<float[]> expected = run(one, its);
      assertSame(expected, run(two, its));
      assertSame(expected, run(three, its));
    }
  }

  @Test
  void callsThatMeetComputeWhatTheyComputeAlone() throws Exception {
    for (InstructionSet set : sets()) {
      Case its = new Case(set, Cell.LSTM, Input.PACKED, 5, 130, 9, 4);
      try (Device device = new CpuDevice(set, 2);
          var threads = Executors.newFixedThreadPool(4)) {
        List<float[]> expected = run(device, its);
        List<Future<List<float[]>>> found = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
          found.add(threads.submit(() -> run(device, its)));
        }
        for (Future<List<float[]>> result : found) {
          assertSame(expected, result.get());
        }
      }
    }
  }

  @Test
  void packedWeightsFollowTheWeights() {
    for (InstructionSet set : sets()) {
      try (Device device = new CpuDevice(set, 2)) {
        Buffer w = weights(device, 6, 5, 1);
        Packed packed = KernelDevice.of(device).recurrences().pack(w, 2, 3, 5, false);
        float[] before = packed.current().read();
        assertArrayEquals(before, packed.current().read());
        w.slice(4, 1).write(99f);
        float[] after = packed.current().read();
        assertEquals(1, count(after, 99f));
        assertEquals(0, count(before, 99f));
        device.pointwise().scale(2, w, w, 30);
        assertEquals(1, count(packed.current().read(), 198f));
      }
    }
  }

  @Test
  void forwardAloneNeedsTheTilesOfOneStep() {
    for (InstructionSet set : sets()) {
      for (Cell cell : Cell.values()) {
        try (Device device = new CpuDevice(set, 2)) {
          float[] all = forward(device, cell, 4);
          assertArrayEquals(all, forward(device, cell, 1));
        }
      }
    }
  }

  /** States of 4 steps of 50 columns, with tiles for some steps. */
  private static float[] forward(Device device, Cell cell, int steps) {
    Recurrences recurrences = KernelDevice.of(device).recurrences();
    Guarded memory = new Guarded(device, 7);
    int units = 19;
    int batch = 50;
    int recurrent = cell == Cell.GRU_V3 ? 2 : cell.gates();
    Sequence s = recurrences.sequence();
    s.begin(
        device.allocate(Recurrences.DESCRIPTION_FLOATS),
        cell,
        Elementwise.TANH,
        3,
        units,
        batch,
        4);
    s.steps(steps);
    Guarded.Piece h = memory.inOut(units * batch * 5);
    s.with(
            Array.WI,
            recurrences
                .pack(weights(device, cell.gates() * units, 3, 1), cell.gates(), units, 3, false)
                .current())
        .with(
            Array.WH,
            recurrences
                .pack(weights(device, recurrent * units, units, 2), recurrent, units, units, false)
                .current())
        .with(
            Array.WC,
            recurrences.pack(weights(device, units, units, 3), 1, units, units, false).current())
        .with(Array.X, memory.input(3 * batch * 4).buffer())
        .with(Array.B, memory.input(cell.gates() * units).buffer())
        .with(Array.Q, memory.output(units * batch * 4).buffer())
        .with(Array.H, h.buffer())
        .with(Array.C, memory.inOut(2 * units * batch).buffer())
        .with(Array.TILES, memory.aligned(Math.toIntExact(recurrences.tiles(s))).buffer());
    recurrences.forward(s);
    memory.check();
    return h.read();
  }

  private static int count(float[] values, float wanted) {
    int count = 0;
    for (float value : values) {
      count += value == wanted ? 1 : 0;
    }
    return count;
  }
}
