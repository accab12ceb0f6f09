package io.recur;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.function.Executable;

/** Checks the words of errors: the facts and the remedy. */
public final class Thrown {
  private Thrown() {}

  /** Passes if the call throws this type and the message has all the words. */
  public static void says(Class<? extends Throwable> type, Executable call, String... words) {
    Throwable thrown = Assertions.assertThrows(type, call);
    for (String word : words) {
      assertTrue(
          thrown.getMessage().contains(word), () -> "no '" + word + "' in: " + thrown.getMessage());
    }
  }
}
