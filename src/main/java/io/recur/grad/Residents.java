package io.recur.grad;

import java.util.ArrayList;
import java.util.List;

/** The holders of tensors of a tape, which refuses to be cleared while there is one. */
final class Residents {
  private final List<Resident> residents = new ArrayList<>();

  void add(Resident resident) {
    if (!residents.contains(resident)) {
      residents.add(resident);
    }
  }

  void remove(Resident resident) {
    residents.remove(resident);
  }

  /** Refuses to clear the tape while it has a resident. */
  void refuseClear() {
    if (!residents.isEmpty()) {
      throw new IllegalStateException(
          """
          clear: %s still holds a state of this tape; call truncate() first to keep its value, or \
          reset() to drop it (if it is out of your reach, close the tape)"""
              .formatted(String.join(", ", residents.stream().map(Resident::describe).toList())));
    }
  }

  void clear() {
    residents.clear();
  }
}
