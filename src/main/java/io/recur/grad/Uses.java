package io.recur.grad;

import io.recur.device.Buffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The parameters that each operation of a tape read, with the number of their writes at that time.
 * The parameters of one model share their memory and that number, so one of them represents all.
 */
final class Uses {
  private @Nullable Parameter[] parameters = new Parameter[64];
  private long[] writes = new long[64];

  /** The parameters of operation i end before {@code ends[i]}. */
  private int[] ends = new int[64];

  /** The gradients that the present pass holds: as a rule those of one model. */
  private final List<Slabs> held = new ArrayList<>();

  /** The number of parameters of the recorded operations; with those of the one that has begun. */
  private int kept;

  private int noted;

  /** An operation begins. Forgets the parameters of one that failed or was not recorded. */
  void next() {
    noted = kept;
  }

  /** The operation that has begun reads this parameter. */
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

  /** The operation that has begun was recorded under this number. */
  void keep(int number) {
    if (number == ends.length) {
      ends = Arrays.copyOf(ends, 2 * number);
    }
    kept = noted;
    ends[number] = kept;
  }

  /**
   * Holds the gradients to which the backward of this operation adds, until {@link #leave}. Refuses
   * a parameter that was written since the operation read it.
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

  /** Leaves the gradients of this pass to other threads. */
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
