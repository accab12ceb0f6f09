package io.recur.peers;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A contender's process: started when it is first asked, kept up, started anew after it has ended.
 */
final class Peer implements AutoCloseable {
  private static final long PATIENCE_SECONDS = 180;
  private static final boolean HAS_SIGNALS = File.separatorChar == '/';

  private final String name;
  private final List<String> command;
  private final Map<String, String> environment;
  private final Path log;
  private final long patienceSeconds;

  private Process process;
  private BufferedWriter questions;
  private BlockingQueue<Optional<String>> answers;
  private String version;
  private String broken;
  private boolean isStopped;

  /**
   * A contender.
   *
   * @param name as the tables write it
   * @param command that starts it
   * @param environment in addition to ours
   * @param log where its chatter goes
   */
  Peer(String name, List<String> command, Map<String, String> environment, Path log) {
    this(name, command, environment, log, PATIENCE_SECONDS);
  }

  /** One that may take longer to answer. */
  Peer(
      String name,
      List<String> command,
      Map<String, String> environment,
      Path log,
      long patienceSeconds) {
    this.name = name;
    this.command = command;
    this.environment = environment;
    this.log = log;
    this.patienceSeconds = patienceSeconds;
  }

  /** One that cannot even be started. */
  static Peer missing(String name, String reason) {
    Peer peer = new Peer(name, List.of(), Map.of(), Path.of(""));
    peer.broken = reason;
    return peer;
  }

  String name() {
    return name;
  }

  /** Its version, once it has been asked for anything. */
  String version() {
    return version == null ? "" : version;
  }

  /** Why it cannot run at all, or null. */
  String broken() {
    return broken;
  }

  /**
   * Asks one question.
   *
   * @throws CannotRun if it refuses, or has ended; then it is started anew by the next prepare
   */
  String ask(String question) throws CannotRun {
    if (broken != null) {
      throw new CannotRun(broken);
    }
    if (process == null || (!process.isAlive() && question.startsWith("prepare "))) {
      start();
    }
    if (isStopped) {
      isStopped = !signal("CONT");
    }
    return exchange(question);
  }

  /**
   * Stops the process until it is asked again: its idle workers spin no more.
   *
   * @return whether this system can do that
   */
  boolean stop() {
    isStopped = process != null && signal("STOP");
    return isStopped;
  }

  private boolean signal(String name) {
    if (!HAS_SIGNALS) {
      return false;
    }
    try {
      return new ProcessBuilder("kill", "-" + name, "" + process.pid()).start().waitFor() == 0;
    } catch (IOException e) {
      return false; // a system without kill
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private void start() throws CannotRun {
    try {
      ProcessBuilder builder = new ProcessBuilder(command).redirectError(log.toFile());
      builder.environment().putAll(environment);
      Process started = builder.start();
      process = started;
      isStopped = false;
      Runtime.getRuntime() // a stopped one does not see that we have ended
          .addShutdownHook(new Thread(started::destroyForcibly));
      questions = process.outputWriter(StandardCharsets.UTF_8);
      BufferedReader reader = process.inputReader(StandardCharsets.UTF_8);
      BlockingQueue<Optional<String>> lines = new LinkedBlockingQueue<>();
      answers = lines;
      Thread.ofPlatform().daemon().start(() -> read(reader, lines));
      version = exchange("version");
    } catch (IOException e) {
      broken = new File(command.getFirst()).getName() + " cannot be started";
      throw new CannotRun(broken);
    } catch (CannotRun e) {
      broken = e.getMessage();
      throw e;
    }
  }

  private static void read(BufferedReader reader, BlockingQueue<Optional<String>> lines) {
    try (reader) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        if (line.startsWith("= ") || line.startsWith("! ")) {
          lines.add(Optional.of(line));
        }
      }
    } catch (IOException e) {
      // the process was ended: as if it had closed its end
    }
    lines.add(Optional.empty());
  }

  private String exchange(String question) throws CannotRun {
    try {
      questions.write(question + "\n");
      questions.flush();
    } catch (IOException e) {
      // it has ended, perhaps after a last line that says why
    }
    Optional<String> answer;
    try {
      answer = answers.poll(patienceSeconds, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    if (answer == null) {
      close();
      throw new CannotRun("no answer to '%s' in %d s".formatted(question, patienceSeconds));
    }
    if (answer.isEmpty()) {
      int exit = close(process);
      throw new CannotRun("its process ended with %d: %s".formatted(exit, lastWords()));
    }
    String line = answer.get();
    if (line.startsWith("!")) {
      throw new CannotRun(line.substring(2));
    }
    return line.substring(2);
  }

  private String lastWords() {
    ArrayDeque<String> last = new ArrayDeque<>();
    try {
      Files.readAllLines(log).stream().filter(line -> !line.isBlank()).forEach(last::add);
    } catch (IOException e) {
      return e.toString();
    }
    String words = last.isEmpty() ? "no word" : last.getLast().strip();
    return words.length() > 120 ? words.substring(0, 120) + " …" : words;
  }

  /** Ends the process; the next question starts another. */
  @Override
  public void close() {
    if (process != null) {
      process.destroyForcibly();
      close(process);
    }
  }

  private int close(Process ending) {
    process = null;
    try {
      return ending.waitFor();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
