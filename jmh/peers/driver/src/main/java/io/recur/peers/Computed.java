package io.recur.peers;

import java.util.Arrays;

/**
 * What a pass of a work computes, and no less: its multiply-adds, and the weights that each step
 * reads.
 *
 * <p>Training multiplies a matrix that x goes through twice: forward, and for its own gradient.
 * There is no gradient of x but in layers above the first. A matrix that the state goes through is
 * multiplied a third time. So a row of a gate takes 2·(in + H) + H multiply-adds, not 3·(in + H).
 *
 * @param operations of floating point, two per multiply-add
 * @param held bytes of the recurrent weights, which every step reads; of all weights where a step
 *     comes alone
 * @param read bytes of them that all steps together read
 */
record Computed(double operations, double held, double read) {
  private static final Computed NOTHING = new Computed(0, 0, 0);

  static Computed of(Work work, String pass) {
    return switch (work.kind()) {
      case Work.SEQUENCE, Work.LENGTHS, Work.DIRECTIONS, Work.STEP -> layers(work, pass);
      case Work.CHARACTERS -> characters(work);
      default -> NOTHING;
    };
  }

  private static Computed layers(Work work, String pass) {
    boolean isStep = pass.equals(Job.STEP);
    double steps = isStep ? 1 : (double) work.time() * work.repeats();
    double columns =
        work.kind().equals(Work.LENGTHS)
            ? Arrays.stream(work.lengths()).sum()
            : steps * work.batch() * work.directions().size();
    double operations = 0;
    double held = 0;
    double read = 0;
    for (int l = 0; l < work.layers(); l++) {
      double inside = 0;
      for (Recurrence.Part part : Recurrence.of(work.cell()).parts()) {
        Recurrence.Operand operand = part.operand();
        double size = (double) part.rows(work.hidden()) * part.columns(work.in(l), work.hidden());
        operations += 2 * size * times(operand, pass, l) * columns;
        boolean isRead =
            operand == Recurrence.Operand.STATE || isStep && operand != Recurrence.Operand.NONE;
        inside += isRead ? Float.BYTES * size : 0;
      }
      held = Math.max(held, inside);
      read += inside * steps * work.directions().size() * (pass.equals(Job.TRAIN) ? 2 : 1);
    }
    return new Computed(operations, held, read);
  }

  /** How often a matrix is multiplied with as many columns as x has. */
  private static int times(Recurrence.Operand operand, String pass, int layer) {
    boolean trains = pass.equals(Job.TRAIN);
    return switch (operand) {
      case INPUT -> !trains ? 1 : layer == 0 ? 2 : 3;
      case STATE, STATES -> trains ? 3 : 1;
      case NONE -> 0;
    };
  }

  /** One-hot x picks columns of the input's weights: only state and head are products. */
  private static Computed characters(Work work) {
    double units = work.hidden();
    double recurrent = work.gates() * units * units;
    double columns = (double) work.time() * work.batch();
    double held = Float.BYTES * recurrent;
    return new Computed(
        2 * 3 * (recurrent + work.in() * units) * columns, held, 2 * held * work.time());
  }
}
