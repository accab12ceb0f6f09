package io.recur;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * No interleaving of public calls ends the JVM or answers wrongly. {@code
 * -Dio.recur.test.storm=SECONDS} makes it longer.
 */
class ThreadStormTest {
  private static final String SECONDS = System.getProperty("io.recur.test.storm", "15");
  private static final Pattern COUNTS =
      Pattern.compile("calls=(\\d+) refused=(\\d+) answers=(\\d+) wrong=\\{}$");

  /** The rounds of closing; a tenth of them on the CPU double. */
  private static final int ROUNDS = 100;

  private static final Pattern CLOSED =
      Pattern.compile("done=(\\d+) without-memory=(\\d+) without-device=(\\d+) wrong=\\{}$");

  /** The best C kernels and those of Java, or the CPU double of a GPU. */
  private static List<List<String>> kernels() {
    return Devices.isCpu()
        ? List.of(List.of(), List.of("-Dio.recur.kernels=java"))
        : List.of(List.of());
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void fourThreadsOnSharedObjectsAreRefusedOrRight(List<String> options) throws Exception {
    String printed = ChildJvm.run(ThreadStorm.class, options, SECONDS);
    assertCounted(COUNTS, printed);
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void computingWhileMemoryIsClosedIsRefused(List<String> options) throws Exception {
    String rounds = "" + Devices.rounds(ROUNDS);
    assertCounted(CLOSED, ChildJvm.run(ClosingStorm.class, options, rounds));
  }

  /** Fails unless nothing was wrong and each kind of outcome occurred. */
  private static void assertCounted(Pattern outcomes, String printed) {
    Matcher counts = outcomes.matcher(printed);
    assertTrue(counts.find(), printed);
    for (int group = 1; group <= counts.groupCount(); group++) {
      assertTrue(Integer.parseInt(counts.group(group)) > 0, printed);
    }
  }
}
