package io.recur;

import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * The worst errors that tests have met. They are printed when the JVM ends if the system property
 * {@value #TOLD} is set. {@code make bring-up} keeps them, so that a reader sees a bound that
 * narrowly holds on a card.
 */
public final class Figures {
  static final String TOLD = "io.recur.test.figures";

  private static final boolean IS_TOLD = Boolean.getBoolean(TOLD);
  private static final Map<String, Figure> WORST = new ConcurrentSkipListMap<>();

  static {
    if (IS_TOLD) {
      Runtime.getRuntime().addShutdownHook(new Thread(Figures::tell));
    }
  }

  private record Figure(double found, double allowed, String unit, String where) {
    Figure worse(Figure other) {
      return other.found / other.allowed > found / allowed ? other : this;
    }
  }

  private Figures() {}

  /** Notes an error of the running test as a share of the allowed one: 1 is the most. */
  public static void share(String where, double share) {
    if (IS_TOLD) {
      worst(test(), share, 1, "times the tolerance", where);
    }
  }

  /** Notes an error that has its own name and bound. */
  public static void worst(String what, double found, double allowed, String unit, String where) {
    if (IS_TOLD) {
      WORST.merge(what, new Figure(found, allowed, unit, where), Figure::worse);
    }
  }

  /** The first class of ours that JUnit has called. */
  private static String test() {
    String name =
        StackWalker.getInstance()
            .walk(
                frames ->
                    frames
                        .map(StackWalker.StackFrame::getClassName)
                        .filter(frame -> frame.startsWith("io.recur."))
                        .reduce("no test", (inner, outer) -> outer));
    int nested = name.indexOf('$');
    return nested < 0 ? name : name.substring(0, nested);
  }

  private static void tell() {
    WORST.forEach(
        (what, worst) ->
            System.out.printf(
                Locale.ROOT,
                "figure: %s: %.3g of %.3g %s, %s%n",
                what.substring(what.lastIndexOf('.') + 1),
                worst.found,
                worst.allowed,
                worst.unit,
                worst.where));
  }
}
