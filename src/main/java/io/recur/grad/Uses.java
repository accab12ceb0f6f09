package io.recur.grad;

import io.recur.device.Buffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The parameters that each operation of a tape read, with the count of their writes at that time.
 * The parameters of one model share their memory and its count, so one of them stands for all.
 */
final class Uses {
  private @Nullable Parameter[] parameters = new Parameter[64];
  private long[] writes = new long[64];

  /** For each recorded operation where its parameters end. */
  private int[] ends = new int[64];

  /** Whose gradients the present pass holds: those of one model as a rule. */
  private final List<Slabs> held = new ArrayList<>();

  /** Parameters of the recorded operations, and of the one that is being made. */
  private int kept;

  private int noted;

  /** Another operation is made: what one noted that failed or is not recorded is forgotten. */
  void next() {
    noted = kept;
  }

  /** The operation that is being made reads this parameter. */
  void note(Parameter parameter) {
    Buffer values = parameter.value();
    if (noted > kept && isSame(noted - 1, parameter, values.version())) {
      return;
    }
    if (noted == parameters.length) {
      parameters = Arrays.copyOf(parameters, 2 * noted);
      writes = Arrays.copyOf(writes, 2 * noted);
    }
    parameters[noted] = parameter;
    writes[noted] = values.version();
    noted++;
  }

  private boolean isSame(int i, Parameter parameter, long version) {
    return parameters[i].placement().slabs() == parameter.placement().slabs()
        && writes[i] == version;
  }

  /** The operation of this number was recorded. */
  void keep(int number) {
    if (number == ends.length) {
      ends = Arrays.copyOf(ends, 2 * number);
    }
    kept = noted;
    ends[number] = kept;
  }

  /**
   * Holds the gradients that the backward of this operation adds to, until {@link #leave}, and
   * refuses it where a parameter is no longer what the operation read.
   */
  void enter(int number) {
    for (int i = number == 0 ? 0 : ends[number - 1]; i < ends[number]; i++) {
      Parameter parameter = parameters[i];
      Slabs slabs = parameter.placement().slabs();
      if (!held.contains(slabs)) {
        slabs.enter();
        held.add(slabs);
      }
      long now = parameter.value().version();
      if (now != writes[i]) {
        throw new IllegalStateException(
            """
            backward: parameter %s %s of a model that was written since: writes=%d when an \
            operation read it, %d now; run backward before the optimiser's step, truncate() after \
            it, or apply again (the gradients of this pass are incomplete: zero them)"""
                .formatted(parameter.name(), parameter.shape(), writes[i], now));
      }
    }
  }

  /** Lets the gradients of this pass go. */
  void leave() {
    for (int i = 0; i < held.size(); i++) {
      held.get(i).leave();
    }
    held.clear();
  }

  void clear() {
    Arrays.fill(parameters, 0, noted, null);
    kept = 0;
    noted = 0;
  }
}
