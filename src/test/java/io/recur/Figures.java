package io.recur;

import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * The worst errors that tests have met, printed when the JVM ends where the system property {@value
 * #TOLD} asks for them: {@code make bring-up} keeps them, so that a bound that holds narrowly on a
 * card is seen too.
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

  /** An error of the running test in units of what it allows: 1 is as much as there may be. */
  public static void share(String where, double share) {
    if (IS_TOLD) {
      worst(test(), share, 1, "times the tolerance", where);
    }
  }

  /** An error that has a name and a bound of its own. */
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
