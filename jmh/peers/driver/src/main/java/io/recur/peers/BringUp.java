package io.recur.peers;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The first ten minutes on a card: each step in a process of its own with its own limit, whatever
 * became of the others; outcomes, figures and worst errors go into RESULTS-GPU.md, the one file to
 * be sent. On the CPU double it is a rehearsal: nothing is timed and no page changes; calls are
 * counted, and the time that a card needs is estimated from them.
 *
 * <p>Arguments: the device, the folder of test classes, the class path that these need with JUnit's
 * console launcher, a Python with PyTorch, a pattern that a step's name must contain (or nothing).
 * Runs in the root of the checkout or of the packed archive. Exit status 1 if a step failed.
 */
final class BringUp {
  static final String COMMAND = "make bring-up";

  private static final Path SCRATCH = Peers.SCRATCH.resolve("bring-up");

  /** What all steps may take on a card. */
  private static final double LIMIT = 600;

  /** The double computes on the processor: a rehearsal may take longer by this. */
  private static final double PATIENCE = 10;

  /** Classes that are run again after a fault that ended the context. */
  private static final int MOST_AGAIN = 3;

  private static final int FAILED = 1;

  private final String device;
  private final String classPath = absolute(System.getProperty("java.class.path"));
  private final Path tests;
  private final String testPath;
  private final String python;
  private final boolean isRehearsal;
  private final BringUpReport report;
  private final long began = System.nanoTime();
  private int logs;

  /** A process that has ended, and what the double counted in it. */
  private record Done(Child.Ended ended, DoubleCounts counts) {}

  private BringUp(String device, String tests, String needed, String python, String card) {
    this.device = device;
    this.tests = Path.of(tests);
    this.testPath = absolute(tests + File.pathSeparator + needed) + File.pathSeparator + classPath;
    this.python = python;
    this.isRehearsal = DoubleCounts.isDouble(card);
    this.report = new BringUpReport(card, isRehearsal);
  }

  public static void main(String[] args) throws IOException {
    Files.createDirectories(SCRATCH);
    try (var old = Files.list(SCRATCH)) {
      for (Path file : old.toList()) {
        Files.delete(file);
      }
    }
    String card = card(args[0]);
    BringUp bringUp = new BringUp(args[0], args[1], args[2], args[3], card);
    Pattern pattern = Pattern.compile(args[4], Pattern.CASE_INSENSITIVE);
    bringUp.run(BringUpStep.plan(args[0], args[1]), pattern);
    bringUp.tell(args[4].isEmpty());
    System.exit(bringUp.report.failed() == 0 ? 0 : FAILED);
  }

  /** A class path that leads on from every folder: tests start JVMs in folders of their own. */
  private static String absolute(String classPath) {
    return Stream.of(classPath.split(File.pathSeparator))
        .map(entry -> Path.of(entry).toAbsolutePath().toString())
        .collect(Collectors.joining(File.pathSeparator));
  }

  /** The device's own line, or the end of this run with the reason why there is none. */
  private static String card(String device) throws IOException {
    List<String> command =
        Child.java(List.of(), System.getProperty("java.class.path"), "io.recur.cli.Main");
    command.addAll(List.of("devices", device));
    Child.Ended ended = Child.run(command, Map.of(), 60, SCRATCH.resolve("00-card.log"));
    ended.lines().forEach(System.out::println);
    if (ended.status() != 0 || ended.lines().isEmpty()) {
      System.err.printf(
          "%s: %s cannot be opened%s: nothing else was run%n",
          COMMAND, device, ended.isLate() ? " within 60 s" : ", for the reason above");
      System.exit(FAILED);
    }
    return ended.lines().getLast().strip();
  }

  private void run(List<BringUpStep> plan, Pattern pattern) throws IOException {
    if (isRehearsal) {
      System.out.println("A rehearsal on the CPU double of a GPU: nothing is timed.");
    }
    Deque<BringUpStep> steps =
        new ArrayDeque<>(
            plan.stream().filter(step -> pattern.matcher(step.name()).find()).toList());
    if (steps.isEmpty()) {
      throw new IllegalArgumentException("no step's name contains '" + pattern + "'");
    }
    while (!steps.isEmpty()) {
      next(steps.pop()).reversed().forEach(steps::push);
    }
  }

  /** Runs a step; gives those that follow from its outcome. */
  private List<BringUpStep> next(BringUpStep step) throws IOException {
    double left = isRehearsal ? PATIENCE * step.limit() : LIMIT - seconds();
    if (left <= 0) {
      report.add(step, "not run: the %.0f s are over".formatted(LIMIT));
      return List.of();
    }
    List<Done> done = atOnce(step, isRehearsal ? left : Math.min(step.limit(), left));
    Child.Ended ended = done.stream().map(Done::ended).reduce(Child.Ended::and).orElseThrow();
    TestRun run = TestRun.of(ended.lines());
    report.add(
        step,
        ended,
        run,
        done.stream().map(Done::counts).reduce(DoubleCounts.NONE, DoubleCounts::plus));
    List<BringUpStep> following = new ArrayList<>();
    if (ended.status() != 0 && step.options().isEmpty()) {
      following.addAll(step.again());
      run.sticky().stream().limit(MOST_AGAIN).map(BringUpStep::checked).forEach(following::add);
    }
    return following;
  }

  /** Runs a step in one process, or its parts in as many at once. */
  private List<Done> atOnce(BringUpStep step, double limit) throws IOException {
    List<List<String>> parts =
        step.kind() == BringUpStep.Kind.SHARDED_TESTS
            ? TestShards.of(tests, step.arguments())
            : List.of(step.arguments());
    String log = "%02d-%s".formatted(++logs, step.name().replaceAll("\\W+", "-"));
    List<Future<Done>> started = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(parts.size())) {
      for (int i = 0; i < parts.size(); i++) {
        List<String> command = command(step, parts.get(i));
        String name = parts.size() == 1 ? log : log + "-" + (i + 1);
        started.add(threads.submit(() -> done(command, limit, name)));
      }
      List<Done> done = new ArrayList<>();
      for (Future<Done> part : started) {
        done.add(part.get());
      }
      return done;
    } catch (InterruptedException | ExecutionException e) {
      throw new IOException(step.name() + ": a process cannot be run", e);
    }
  }

  private Done done(List<String> command, double limit, String log) throws IOException {
    Path counts = SCRATCH.resolve(log + ".counts");
    Child.Ended ended =
        Child.run(
            command,
            isRehearsal
                ? Map.of(DoubleCounts.VARIABLE, counts.toAbsolutePath().toString())
                : Map.of(),
            limit,
            SCRATCH.resolve(log + ".log"));
    return new Done(
        ended, isRehearsal ? DoubleCounts.read(counts, ended.seconds()) : DoubleCounts.NONE);
  }

  private List<String> command(BringUpStep step, List<String> arguments) {
    List<String> command;
    switch (step.kind()) {
      case SYSTEM -> command = new ArrayList<>(arguments);
      case COMMAND -> {
        command = Child.java(step.options(), classPath, "io.recur.cli.Main");
        command.addAll(arguments);
      }
      case BENCHMARK -> {
        command = Child.java(step.options(), classPath, GpuDriver.class.getName());
        command.addAll(List.of(python, device, Jobs.CHARACTERS, "5"));
      }
      default -> {
        List<String> options = new ArrayList<>(step.options());
        options.addAll(
            List.of(
                "-Xmx2g",
                "-Djava.awt.headless=true",
                "-Dio.recur.test.figures=true",
                "-Dio.recur.test.device=" + device));
        command = Child.java(options, testPath, "org.junit.platform.console.ConsoleLauncher");
        command.addAll(
            List.of(
                "execute",
                "--disable-banner",
                "--disable-ansi-colors",
                "--details=summary",
                "--include-engine=junit-jupiter",
                "--fail-if-no-tests",
                "--exclude-tag=cpu",
                "--exclude-tag=soak"));
        command.addAll(arguments);
      }
    }
    return command;
  }

  private double seconds() {
    return (System.nanoTime() - began) / 1e9;
  }

  /** Writes the page: of a rehearsal, or of a part, a copy beside the logs. */
  private void tell(boolean isWhole) throws IOException {
    Path page = Peers.JMH.resolve("RESULTS-GPU.md");
    String text = Section.replaced(page, COMMAND, report.section(seconds()));
    Path target = isWhole && !isRehearsal ? page : SCRATCH.resolve("RESULTS-GPU.md");
    Files.writeString(target, text);
    System.out.printf("%n%s%n%nWritten: %s; logs: %s%n", report.summary(), target, SCRATCH);
  }
}
