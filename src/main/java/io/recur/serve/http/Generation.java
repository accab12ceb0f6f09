package io.recur.serve.http;

import io.recur.io.json.Json;
import io.recur.nn.Sampler;
import io.recur.serve.Request;
import io.recur.serve.SessionException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * The generate routes of Triton for a model of text: it reads a text and writes what follows,
 * character by character, as one object or as server-sent events.
 */
final class Generation {
  private static final int PIECE = 256;
  private static final int SYMBOLS = 200;
  private static final double TEMPERATURE = 0.8;

  private final ServedModel model;
  private final Sequences sequences;
  private final int mostSymbols;
  private final int[] characters;

  private Generation(Served served, Sequences sequences, int mostSymbols) {
    this.model = served.model();
    this.sequences = sequences;
    this.mostSymbols = mostSymbols;
    this.characters = served.characters();
  }

  /** Writes a text by the version that is chosen. */
  static Reply generate(Call call, Choice choice, int mostSymbols, boolean isStream)
      throws IOException {
    Fields json = Fields.of("body", ByteBuffer.wrap(call.body()));
    Fields parameters = json.object("parameters");
    return choice.answered(
        SequenceId.of(parameters.value("sequence_id")),
        parameters.isTrue("sequence_start"),
        (versions, served) ->
            new Generation(served, versions.sequences(), mostSymbols)
                .generate(json, parameters, isStream));
  }

  private Reply generate(Fields json, Fields parameters, boolean isStream) {
    if (!model.isOfText()) {
      throw new Refusal(
          Refusal.NOT_FOUND,
          "model %s has no vocabulary and writes no text; use infer".formatted(model.name()));
    }
    Text text = new Text(json, parameters);
    if (isStream) {
      text.begin();
      return Reply.stream("text/event-stream; charset=utf-8", text);
    }
    try {
      text.begin();
      StringBuilder all = new StringBuilder();
      while (text.hasNext()) {
        all.append(text.next());
      }
      return Reply.json(text.json(all.toString()));
    } finally {
      text.end();
    }
  }

  private int[] encoded(String text) {
    int[] numbers = text.codePoints().toArray();
    for (int i = 0; i < numbers.length; i++) {
      int found = number(numbers[i]);
      if (found < 0) {
        throw new Refusal(
            Refusal.BAD,
            "text_input: character %s (U+%04X) at position %d is not among the %d that %s knows"
                .formatted(
                    Json.shown(Character.toString(numbers[i])),
                    numbers[i],
                    i,
                    characters.length,
                    model.name()));
      }
      numbers[i] = found;
    }
    return numbers;
  }

  private int number(int character) {
    for (int i = 0; i < characters.length; i++) {
      if (characters[i] == character) {
        return i;
      }
    }
    return -1;
  }

  /** A text that is written: a session that has read its beginning, and the next scores. */
  private final class Text implements Reply.Stream {
    private final int[] begin;
    private final int length;
    private final Sampler sampler;
    private final Random random;
    private final SequenceId id;
    private final boolean isStart;
    private final boolean isEnd;
    private boolean isOpen;
    private float[] scores = {};
    private int written;

    Text(Fields json, Fields parameters) {
      String text = json.text("text_input", "");
      length = (int) parameters.whole("max_tokens", 0, mostSymbols, Math.min(SYMBOLS, mostSymbols));
      sampler = sampler(parameters);
      random =
          new Random(
              parameters.whole(
                  "seed", Long.MIN_VALUE, Long.MAX_VALUE, new SecureRandom().nextLong()));
      @Nullable SequenceId given = SequenceId.of(parameters.value("sequence_id"));
      isStart = given == null || parameters.isTrue("sequence_start");
      isEnd = given == null || parameters.isTrue("sequence_end");
      id = given == null ? sequences.nextSingle() : given;
      if (text.isEmpty() && !isStart) {
        throw json.wrong("text_input", "a text: the sequence goes on with it");
      }
      begin = text.isEmpty() ? new int[] {Math.max(0, number('\n'))} : encoded(text);
    }

    private Sampler sampler(Fields parameters) {
      try {
        return new Sampler(
            parameters.number("temperature", TEMPERATURE),
            (int) parameters.whole("top_k", 1, Integer.MAX_VALUE, Integer.MAX_VALUE),
            parameters.number("top_p", 1));
      } catch (IllegalArgumentException e) {
        throw new Refusal(Refusal.BAD, e.getMessage());
      }
    }

    /** Reads the beginning. What is refused here has a status of its own. */
    void begin() {
      try {
        for (int from = 0; from < begin.length; from += PIECE) {
          int[] piece = Arrays.copyOfRange(begin, from, Math.min(from + PIECE, begin.length));
          Request request = Request.symbols(characters.length, piece);
          boolean isFirst = from == 0;
          boolean isOfVersion = isFirst && model.number() > 0;
          step(isOfVersion ? request.ofVersion(model.number()) : request, isFirst && isStart);
          isOpen = true;
        }
      } catch (RuntimeException e) {
        end();
        throw e;
      }
    }

    private void step(Request request, boolean isStart) {
      float[] answer = sequences.step(id, request, isStart);
      scores =
          Arrays.copyOfRange(answer, Math.max(0, answer.length - characters.length), answer.length);
    }

    boolean hasNext() {
      return written < length;
    }

    String next() {
      int chosen = sampler.choose(scores, random);
      written++;
      step(Request.symbol(characters.length, chosen), false);
      return Character.toString(characters[chosen]);
    }

    String json(String text) {
      return "{\"model_name\": %s, \"model_version\": %s, \"text_output\": %s}"
          .formatted(Json.quoted(model.name()), Json.quoted(model.version()), Json.quoted(text));
    }

    @Override
    public void write(OutputStream to) throws IOException {
      while (hasNext()) {
        String event;
        try {
          event = json(next());
        } catch (SessionException | Refusal | IllegalArgumentException e) {
          event = "{\"error\": %s}".formatted(Json.quoted("" + e.getMessage()));
          written = length;
        }
        if (!hasNext()) {
          end(); // before its reader can start the next
        }
        to.write("data: %s\n\n".formatted(event).getBytes(StandardCharsets.UTF_8));
        to.flush();
      }
    }

    @Override
    public void end() {
      if (isOpen && isEnd) {
        isOpen = false;
        sequences.end(id);
      }
    }
  }
}
