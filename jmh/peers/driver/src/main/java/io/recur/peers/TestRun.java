package io.recur.peers;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a run of JUnit's console launcher says of its tests.
 *
 * @param successful tests that passed
 * @param skipped tests that were skipped or broke off an assumption
 * @param failures one per test that failed
 * @param figures worst errors, as the tests tell them
 */
record TestRun(int successful, int skipped, List<Failure> failures, List<String> figures) {
  private static final Pattern COUNT =
      Pattern.compile("\\[\\s*(\\d+) tests (skipped|aborted|successful)\\s*]");
  private static final Pattern SOURCE =
      Pattern.compile(
          "(?:Method|Class)Source \\[className = '([^']*)'(?:, methodName = '([^']*)')?.*");
  private static final String REASON = "=> ";
  private static final String FIGURE = "figure: ";

  /** A fault that ends the context: whatever follows in that JVM fails as well. */
  private static final Pattern STICKY = Pattern.compile("\\b(700|716) CUDA_ERROR_");

  private static final String LATER = "is unusable since a call failed";

  /**
   * A test that failed.
   *
   * @param test its class
   * @param method its method, or nothing
   * @param reason the error's first line
   */
  record Failure(String test, String method, String reason) {
    /** Whether this test itself met a fault that ends the context. */
    boolean isSticky() {
      return STICKY.matcher(reason).find() && !isLater();
    }

    /** Whether it failed since an earlier test of that JVM had ended the context. */
    boolean isLater() {
      return reason.contains(LATER);
    }

    String shortName() {
      return test.substring(test.lastIndexOf('.') + 1) + (method.isEmpty() ? "" : "." + method);
    }
  }

  static TestRun of(List<String> lines) {
    int successful = 0;
    int skipped = 0;
    List<Failure> failures = new ArrayList<>();
    List<String> figures = new ArrayList<>();
    String test = "";
    String method = "";
    for (String line : lines) {
      String text = line.strip();
      Matcher count = COUNT.matcher(text);
      Matcher source = SOURCE.matcher(text);
      if (count.matches()) {
        int tests = Integer.parseInt(count.group(1));
        successful += count.group(2).equals("successful") ? tests : 0;
        skipped += count.group(2).equals("successful") ? 0 : tests;
      } else if (text.startsWith(FIGURE)) {
        figures.add(text.substring(FIGURE.length()));
      } else if (source.matches()) {
        test = source.group(1);
        method = source.group(2) == null ? "" : source.group(2);
      } else if (!test.isEmpty() && text.startsWith(REASON)) {
        failures.add(new Failure(test, method, text.substring(REASON.length())));
        test = "";
      }
    }
    return new TestRun(successful, skipped, failures, figures);
  }

  /** Whether the launcher came to its end: without tests that ran there is no count. */
  boolean isWhole() {
    return successful + skipped + failures.size() > 0;
  }

  /** The classes of which a test met a fault that ends the context. */
  List<String> sticky() {
    return failures.stream().filter(Failure::isSticky).map(Failure::test).distinct().toList();
  }
}
