package io.recur.serve.http;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.grad.Shape;
import io.recur.grad.Tape;
import io.recur.io.json.Json;
import io.recur.nn.Chain;
import io.recur.nn.Sampler;
import io.recur.serve.Moving;
import io.recur.serve.Sessions;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A model of text writes the characters that the same draws give in the library. */
class GenerationTest extends ServedSessions {
  private static final String CHARACTERS = "\n abc\u00e9\ud83d\ude00";
  private static final int[] POINTS = CHARACTERS.codePoints().toArray();
  private static final String GENERATE = "/v2/models/text/generate";

  private Chain writer;
  private Sessions written;

  @BeforeEach
  void begin() throws IOException {
    writer = chain(lstm(POINTS.length, 8), dense(8, POINTS.length)).on(device, 3);
    written = Sessions.open(writer, device);
    server =
        Server.open(
            ServerSettings.LOCAL.withPort(0).withMost(1 << 20, 3, 1000),
            ServedModel.of("text", written)
                .withSizes(POINTS.length, POINTS.length)
                .withVocabulary(CHARACTERS));
  }

  @AfterEach
  void end() {
    server.close();
    written.close();
  }

  private String expected(String begin, int length, long seed) {
    Random random = new Random(seed);
    Sampler sampler = new Sampler(0.9, 4, 0.95);
    StringBuilder text = new StringBuilder();
    try (Chain own = writer.fork();
        Tape tape = Tape.inference(device)) {
      float[] scores = {};
      for (int point : (begin.isEmpty() ? "\n" : begin).codePoints().toArray()) {
        scores = step(own, tape, Arrays.binarySearch(POINTS, point));
      }
      for (int i = 0; i < length; i++) {
        int chosen = sampler.choose(scores, random);
        text.appendCodePoint(POINTS[chosen]);
        scores = step(own, tape, chosen);
      }
    }
    return text.toString();
  }

  private static float[] step(Chain own, Tape tape, int symbol) {
    float[] scores = own.apply(tape.oneHot(Shape.of(POINTS.length), symbol)).toArray();
    tape.clear();
    return scores;
  }

  private static String request(String begin, int length, String more) {
    return """
        {"text_input": %s, "parameters": {"max_tokens": %d, "temperature": 0.9, "top_k": 4, \
        "top_p": 0.95, "seed": 5%s}}"""
        .formatted(Json.quoted(begin), length, more);
  }

  @Test
  void aTextIsThatOfTheSameDraws() {
    for (String begin : new String[] {"abc", "", "\u00e9 \ud83d\ude00"}) {
      Answer answer = post(GENERATE, request(begin, 40, ""));
      assertEquals(200, answer.status(), answer.text());
      assertEquals(expected(begin, 40, 5), answer.json().get("text_output"));
      assertEquals("text", answer.json().get("model_name"));
    }
    assertEquals(0, written.counts().sessions());
  }

  @Test
  void aStreamHasAnEventForEachCharacter() {
    Answer answer = post(GENERATE + "_stream", request("ab", 30, ""));
    assertEquals("text/event-stream; charset=utf-8", answer.header("Content-Type"));
    assertEquals("chunked", answer.header("Transfer-Encoding"));
    String[] events = answer.text().split("\n\n");
    assertEquals(30, events.length);
    StringBuilder text = new StringBuilder();
    for (String event : events) {
      assertTrue(event.startsWith("data: "), event);
      text.append(Json.read(event.substring(6), 4).get("text_output"));
    }
    assertEquals(expected("ab", 30, 5), text.toString());
    assertEquals(0, written.counts().sessions());
  }

  /** What was written is read: the next request continues behind it. */
  @Test
  void aSequenceContinues() {
    String start = ", \"sequence_id\": 4, \"sequence_start\": true";
    String first = (String) post(GENERATE, request("ab", 10, start)).json().get("text_output");
    assertEquals(expected("ab", 10, 5), first);
    String end = ", \"sequence_id\": 4, \"sequence_end\": true";
    String second = (String) post(GENERATE, request("c", 10, end)).json().get("text_output");
    assertEquals(expected("ab" + first + "c", 10, 5), second);
    assertEquals(0, written.counts().sessions());
  }

  /** A sequence is not continued by a version that did not start it. */
  @Test
  void aTextIsOfTheVersionOfItsPathOrOfItsSequence() throws IOException {
    Chain other = chain(lstm(POINTS.length, 8), dense(8, POINTS.length)).on(device, 4);
    ServedModel first =
        ServedModel.of("text", written)
            .withVersion("1", 1)
            .withSizes(POINTS.length, POINTS.length)
            .withVocabulary(CHARACTERS);
    written.versions().keep(1);
    int number = written.versions().replace(other, Moving.AT_RESET);
    String start = ", \"sequence_id\": 4, \"sequence_start\": true";
    String next = ", \"sequence_id\": 4";
    String ofFirst = "/v2/models/text/versions/1/generate";
    String ofSecond = "/v2/models/text/versions/2/generate";
    Server mine = server;
    try (Server both =
        Server.open(ServerSettings.LOCAL.withPort(0), first, first.withVersion("2", number))) {
      server = both;
      String text = (String) post(ofFirst, request("ab", 10, start)).json().get("text_output");
      assertEquals(expected("ab", 10, 5), text);
      refused(
          409,
          "version 2 of text does not step sequence 4",
          post(ofSecond, request("c", 10, next)));
      refused(
          409,
          "version 2 of text does not step sequence 4",
          post(ofSecond + "_stream", request("c", 10, next)));
      Answer second = post(GENERATE, request("c", 10, next));
      assertEquals(expected("ab" + text + "c", 10, 5), second.json().get("text_output"));
      assertEquals("1", second.json().get("model_version"));
      assertEquals("2", post(GENERATE, request("c", 10, start)).json().get("model_version"));
      assertEquals(number, written.versions().of(4));
    } finally {
      server = mine;
    }
  }

  @Test
  void aLongBeginningIsReadInPieces() {
    String begin = "abc ".repeat(200);
    Answer answer = post(GENERATE, request(begin, 5, ""));
    assertEquals(5, ((String) answer.json().get("text_output")).codePoints().count());
    assertEquals(0, written.counts().sessions());
  }

  /** Its session goes with it, so that it does not count against those that may be open. */
  @Test
  void aStreamWhoseReaderGoesEnds() throws Exception {
    for (int i = 0; i < 20; i++) {
      InputStream body =
          client
              .send(
                  to(GENERATE + "_stream")
                      .POST(BodyPublishers.ofString(request("a", 1000, "")))
                      .build(),
                  BodyHandlers.ofInputStream())
              .body();
      assertEquals('d', body.read());
      body.close();
      while (written.counts().sessions() > 2) {
        Thread.sleep(1); // three may be open; the server finds at its next event that nobody reads
      }
    }
    while (written.counts().sessions() > 0) {
      Thread.sleep(1);
    }
  }

  @Test
  void whatItDoesNotKnowIsRefused() {
    refused(400, "character \"z\" (U+007A) at position 1", post(GENERATE, request("az", 5, "")));
    refused(400, "max_tokens=1001; need", post(GENERATE, request("a", 1001, "")));
    refused(400, "temperature", post(GENERATE, "{\"parameters\": {\"temperature\": -1}}"));
    refused(400, "top_k=0; need", post(GENERATE, "{\"parameters\": {\"top_k\": 0}}"));
    refused(400, "text_input=nothing", post(GENERATE, "{\"parameters\": {\"sequence_id\": 3}}"));
    refused(
        404,
        "start it with sequence_start",
        post(GENERATE + "_stream", request("a", 5, ", \"sequence_id\": 3")));
    assertEquals(0, written.counts().sessions());
  }
}
