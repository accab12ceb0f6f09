package io.recur.device;

import io.recur.device.ProgramSketch.Sample;
import io.recur.device.kernels.Programs;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Programs of cells on every device, against double precision. A new instruction belongs into
 * {@link ReferencePrograms} and into one of {@link SamplePrograms}.
 */
@ParameterizedClass
@MethodSource("io.recur.device.Devices#all")
class ProgramsTest {
  /** Among them those with one row in the second vector of a panel: 5, 9 and 17. */
  private static final int[] UNITS = {1, 3, 5, 9, 16, 17, 63, 64, 65, 257};

  private static final int[] BATCHES = {1, 2, 3, 7, 17, 48, 49, 65};
  private static final int[] TIMES = {1, 2, 5};
  private static final int IN = 5;

  private final Device device;

  ProgramsTest(Device device) {
    this.device = device;
  }

  private void check(Sample sample, int batch, int time, boolean isFrugal) {
    Programs.Compiled compiled = ProgramRun.compile(device, sample);
    new ProgramRun(device, compiled, sample, batch, time, isFrugal, false)
        .run()
        .check(device.name());
  }

  @Test
  void everyProgramEqualsDoublePrecisionAtOddSizes() {
    for (int units : UNITS) {
      List<Sample> all = SamplePrograms.all(IN, units);
      for (int i = 0; i < all.size(); i++) {
        for (int batch : units < 60 ? BATCHES : new int[] {1, 7, 49}) {
          check(all.get(i), batch, TIMES[(i + batch) % TIMES.length], (i + batch) % 2 == 0);
        }
      }
    }
  }

  @Test
  void everyProgramEqualsDoublePrecisionForEveryTimeAndBatch() {
    for (Sample sample : SamplePrograms.all(IN, 19)) {
      Programs.Compiled compiled = ProgramRun.compile(device, sample);
      for (int batch : BATCHES) {
        for (int time : TIMES) {
          new ProgramRun(device, compiled, sample, batch, time, true, false)
              .run()
              .check(device.name());
          new ProgramRun(device, compiled, sample, batch, time, false, true)
              .run()
              .check(device.name());
        }
      }
    }
  }

  @Test
  void gradientsOfWeightsAreSumsOverManyRunsOfSteps() {
    for (Sample sample : SamplePrograms.all(IN, 33)) {
      check(sample, 3, 200, true);
      check(sample, 70, 9, true);
    }
  }

  /** One thread computes the steps, all of them what is done for many steps at once. */
  @Test
  void smallStepsOfLongSequencesAreComputedOnce() {
    for (Sample sample : SamplePrograms.all(65, 65)) {
      check(sample, 2, 300, false);
    }
  }
}
