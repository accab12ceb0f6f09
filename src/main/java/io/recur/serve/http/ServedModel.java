package io.recur.serve.http;

import io.recur.serve.Sessions;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * Sessions as clients see them: a model with a name, a version, an input and an output.
 *
 * <pre>{@code
 * ServedModel forecast = ServedModel.of("forecast", sessions).withSizes(3, 5);
 * }</pre>
 *
 * @param name letters, digits, {@code . _ -}, up to 100
 * @param version as a name
 * @param number of the version among those of the sessions, see {@link io.recur.serve.Versions}; 0
 *     where there is one, or clients need not know
 * @param sessions which their owner closes after the server
 * @param input name of the input
 * @param in values of a step; 0 where that is not known, and the model alone refuses others
 * @param output name of the output
 * @param out values of an answer; 0 where that is not known
 * @param takesSymbols whether a step may also be the index of the one row that is 1, an integer
 * @param vocabulary one code point for each row of a model of text; empty for others
 */
public record ServedModel(
    String name,
    String version,
    int number,
    Sessions sessions,
    String input,
    int in,
    String output,
    int out,
    boolean takesSymbols,
    String vocabulary) {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,100}");

  /**
   * Checks names and sizes.
   *
   * @throws IllegalArgumentException if a name cannot stand in a path, a size is negative, or the
   *     vocabulary has not one character for each row
   */
  public ServedModel {
    Objects.requireNonNull(sessions, "sessions");
    check("name", name);
    check("version", version);
    if (in < 0 || out < 0 || number < 0) {
      throw new IllegalArgumentException(
          "model %s: in=%d, out=%d, number=%d; need 0 for unknown, or more"
              .formatted(name, in, out, number));
    }
    int characters = vocabulary.codePointCount(0, vocabulary.length());
    if (characters > 0 && (characters != in || characters != out)) {
      throw new IllegalArgumentException(
          "model %s: in=%d, out=%d, vocabulary=%d characters; need as many of each"
              .formatted(name, in, out, characters));
    }
    if (takesSymbols && in == 0) {
      throw new IllegalArgumentException(
          "model %s: it takes symbols; say with withSizes of how many classes".formatted(name));
    }
  }

  private static void check(String what, String name) {
    boolean isDots = name.matches("\\.{1,2}");
    if (!NAME.matcher(name).matches() || isDots) {
      throw new IllegalArgumentException(
          "model: %s=%s; need 1 to 100 letters, digits, dots, underscores and hyphens"
              .formatted(what, name));
    }
  }

  /**
   * A model of version 1 with input {@code x} and output {@code y} of unknown sizes.
   *
   * @param name in paths
   * @param sessions which their owner closes after the server
   * @return the model
   */
  public static ServedModel of(String name, Sessions sessions) {
    return new ServedModel(name, "1", 0, sessions, "x", 0, "y", 0, false, "");
  }

  /**
   * This model with another version.
   *
   * @param version as clients write it
   * @return the model
   */
  public ServedModel withVersion(String version) {
    return withVersion(version, number);
  }

  /**
   * This model as one of several versions, which serve side by side. All have the same sessions,
   * whose owner keeps them, see {@link io.recur.serve.Versions#keep}.
   *
   * <pre>{@code
   * sessions.versions().keep(1);
   * int number = sessions.versions().replace(retrained, Moving.AT_RESET);
   * ServedModel first = ServedModel.of("forecast", sessions).withVersion("1", 1);
   * ServedModel second = first.withVersion("2", number);
   * Server server = Server.open(ServerSettings.LOCAL, first, second);   // sequences start with 2
   * }</pre>
   *
   * @param version as clients write it
   * @param number of the version among those of the sessions
   * @return the model
   */
  public ServedModel withVersion(String version, int number) {
    return new ServedModel(
        name, version, number, sessions, input, in, output, out, takesSymbols, vocabulary);
  }

  /**
   * This model with its sizes, which a request must have.
   *
   * @param in values of a step
   * @param out values of an answer
   * @return the model
   */
  public ServedModel withSizes(int in, int out) {
    return new ServedModel(
        name, version, number, sessions, input, in, output, out, takesSymbols, vocabulary);
  }

  /**
   * This model with names of its input and its output.
   *
   * @param input in place of x
   * @param output in place of y
   * @return the model
   */
  public ServedModel withNames(String input, String output) {
    return new ServedModel(
        name, version, number, sessions, input, in, output, out, takesSymbols, vocabulary);
  }

  /**
   * This model where a step may be an integer: the row of a one-hot input that is 1.
   *
   * @return the model
   */
  public ServedModel withSymbols() {
    return withVocabulary(vocabulary);
  }

  /**
   * This model as a model of text, which writes characters.
   *
   * @param vocabulary its characters, the one of row 0 first
   * @return the model, which takes symbols
   */
  public ServedModel withVocabulary(String vocabulary) {
    return new ServedModel(
        name, version, number, sessions, input, in, output, out, true, vocabulary);
  }

  /** Whether it writes text. */
  boolean isOfText() {
    return !vocabulary.isEmpty();
  }

  @Override
  public String toString() {
    return "ServedModel(%s, version %s)".formatted(name, version);
  }
}
