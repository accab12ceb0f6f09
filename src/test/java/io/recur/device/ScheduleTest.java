package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.CellProgram.Weights;
import io.recur.device.kernels.Instruction;
import io.recur.device.kernels.ProductSchedule;
import io.recur.device.kernels.ProductSchedule.Call;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Which products a device with a matrix library makes, and when. */
@Tag(Devices.CPU)
class ScheduleTest {
  private static final int IN = 5;
  private static final int UNITS = 7;

  private static ProductSchedule of(ProgramSketch.Sample sample) {
    return ProductSchedule.of(sample.program());
  }

  private static List<Call> calls(List<ProductSchedule.Phase> phases) {
    return phases.stream().flatMap(phase -> phase.calls().stream()).toList();
  }

  @Test
  void theGatesOfACellAreOneProductOfAllStepsAndOnePerStepOnTopOfIt() {
    ProductSchedule.Pass forward = of(GatedPrograms.lstm(IN, UNITS)).forward();
    Call input = forward.hoisted().getFirst();
    Call recurrent = calls(forward.phases()).getFirst();
    assertEquals(1, forward.hoisted().size());
    assertEquals(1, calls(forward.phases()).size());
    assertEquals(new Weights(0, 0, 4 * UNITS, 0, IN), input.weights());
    assertEquals(new Weights(1, 0, 4 * UNITS, 0, UNITS), recurrent.weights());
    assertEquals(input.result(), recurrent.result());
    assertFalse(input.accumulates());
    assertTrue(recurrent.accumulates());
    assertEquals(List.of(new ProductSchedule.Space(4 * UNITS, true)), forward.spaces());
  }

  @Test
  void productsThatArePartlyReadAloneKeepAnArrayOfTheirOwn() {
    ProductSchedule.Pass forward = of(GatedPrograms.gru(IN, UNITS)).forward();
    assertEquals(
        List.of(
            new ProductSchedule.Space(3 * UNITS, true),
            new ProductSchedule.Space(3 * UNITS, false)),
        forward.spaces());
    assertFalse(calls(forward.phases()).getFirst().accumulates());
  }

  @Test
  void productsOfTheInputInTwoPhasesAreOne() {
    ProductSchedule.Pass forward = of(GatedPrograms.gruV3(IN, UNITS)).forward();
    assertEquals(1, forward.hoisted().size());
    assertEquals(3 * UNITS, forward.hoisted().getFirst().rows());
    assertEquals(
        List.of(2 * UNITS, UNITS), calls(forward.phases()).stream().map(Call::rows).toList());
    assertTrue(calls(forward.phases()).stream().allMatch(Call::accumulates));
    assertEquals(2 * UNITS, calls(forward.phases()).getLast().row());
  }

  @Test
  void aProductThatIsOnlyStoredWaitsForTheLastStepAndLeavesNoSection() {
    ProductSchedule schedule = of(GatedPrograms.rnn(IN, UNITS));
    ProductSchedule.Phase input = schedule.backward().phases().getLast();
    assertEquals(List.of(), input.sections());
    assertTrue(input.calls().getFirst().sinks());
    ProductSchedule.Phase end = schedule.backward().end().getFirst();
    assertEquals(List.of(), end.sections());
    assertFalse(end.calls().getFirst().sinks());
  }

  @Test
  void noSectionHasProductsLeft() {
    for (ProgramSketch.Sample sample : SamplePrograms.all(IN, UNITS)) {
      ProductSchedule schedule = of(sample);
      for (ProductSchedule.Pass pass : List.of(schedule.forward(), schedule.backward())) {
        for (ProductSchedule.Phase phase : pass.phases()) {
          for (CellProgram.Section section : phase.sections()) {
            assertTrue(
                section.instructions().stream()
                    .noneMatch(
                        i ->
                            i instanceof Instruction.Product
                                || i instanceof Instruction.Scatter
                                || i instanceof Instruction.Reduced),
                sample.name());
          }
        }
      }
    }
  }
}
