package io.recur.serve.http;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.Without;
import io.recur.serve.Batching;
import io.recur.serve.Request;
import io.recur.serve.Sessions;
import io.recur.serve.Waits;
import java.io.IOException;
import java.lang.reflect.Array;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.InetAddress;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class ServerTest extends ServedSessions {
  /** As an image of jlink without the server of the JDK. */
  @Test
  void withoutTheModuleACallNamesIt() throws Exception {
    serve();
    Without without = new Without(Server.class, "com.sun.net.httpserver.");
    Class<?> settings = without.its(ServerSettings.class);
    Class<?> served = without.its(ServedModel.class);
    Object models = Array.newInstance(served, 1);
    Method of = served.getMethod("of", String.class, Sessions.class);
    Array.set(models, 0, of.invoke(null, "m", sessions));
    Method open = without.its(Server.class).getMethod("open", settings, models.getClass());
    Throwable thrown =
        assertThrows(
                InvocationTargetException.class,
                () -> open.invoke(null, settings.getField("LOCAL").get(null), models))
            .getCause();
    assertEquals(IllegalStateException.class, thrown.getClass(), thrown.toString());
    assertTrue(thrown.getMessage().contains("--add-modules jdk.httpserver"), thrown.getMessage());
  }

  @Test
  void itListensOnTheLoopbackAddressUnlessToldOtherwise() throws IOException {
    serve();
    assertTrue(InetAddress.getByName(server.uri().getHost()).isLoopbackAddress());
  }

  @Test
  void aPortInUseIsTold() throws IOException {
    serve();
    ServerSettings same = ServerSettings.LOCAL.withPort(server.uri().getPort());
    Thrown.says(
        IOException.class,
        () -> Server.open(same, ServedModel.of("m", sessions)).close(),
        "it cannot listen on",
        Integer.toString(server.uri().getPort()));
  }

  @Test
  void modelsAreCheckedBeforeItListens() throws IOException {
    serve();
    ServedModel one = ServedModel.of("m", sessions);
    ServerSettings settings = ServerSettings.LOCAL.withPort(0);
    Thrown.says(IllegalArgumentException.class, () -> Server.open(settings), "no model");
    Thrown.says(
        IllegalArgumentException.class, () -> Server.open(settings, one, one), "two models", "m");
    for (String name : new String[] {"", "a/b", "..", "a b", "\u00e9"}) {
      Thrown.says(
          IllegalArgumentException.class, () -> ServedModel.of(name, sessions), "name=" + name);
    }
    Thrown.says(
        IllegalArgumentException.class, () -> one.withSizes(3, 2).withVocabulary("abc"), "out=2");
    Thrown.says(IllegalArgumentException.class, one::withSymbols, "withSizes");
  }

  @Test
  void aModelIsServedInItsVersionAlone() throws IOException {
    serve();
    ServedModel named = ServedModel.of("n", sessions).withVersion("2026-11");
    try (Server other = Server.open(ServerSettings.LOCAL.withPort(0), named)) {
      Server first = server;
      server = other;
      assertEquals(List.of("2026-11"), get("/v2/models/n").json().get("versions"));
      assertEquals(200, get("/v2/models/n/versions/2026-11").status());
      assertEquals(404, get("/v2/models/n/versions/1").status());
      server = first;
    }
    Thrown.says(IllegalArgumentException.class, () -> named.withVersion("a/b"), "version=a/b");
  }

  /** One call each of the sessions: those that wait are one step of the model. */
  @Test
  void aStartAnEndAndARequestOfNoSequenceShareABatch() throws Exception {
    int unbounded = 0; // or the first start would count the sessions
    serve(ServerSettings.LOCAL.withPort(0).withMost(1 << 20, unbounded, 10), Batching.ADAPTIVE);
    sessions.open(1, 2);
    CompletableFuture<float[]> inside = sessions.stepAsync(1, Request.of(1, 2, 3));
    gate.awaitBatch();
    List<String> parameters =
        List.of("", sequence(3, true, false), sequence(2, false, true), sequence(4, true, true));
    List<CompletableFuture<Answer>> answers =
        parameters.stream()
            .map(
                its ->
                    CompletableFuture.supplyAsync(
                        () -> inferJson(its, x(1, 1)), Thread::startVirtualThread))
            .toList();
    while (Waits.of(sessions) < parameters.size()) {
      Thread.sleep(1);
    }
    gate.open();
    inside.join();
    float[] expected = alone(x(1, 1))[0];
    answers.forEach(answer -> assertArrayEquals(expected, floats(answer.join())));
    assertEquals(2, sessions.counts().batches());
    assertEquals(2, sessions.counts().sessions(), "1 and 3");
  }

  /** A model whose sizes nobody said refuses by itself. */
  @Test
  void aModelOfUnknownSizesIsServed() throws IOException {
    serve();
    try (Server other =
        Server.open(ServerSettings.LOCAL.withPort(0), ServedModel.of("m", sessions))) {
      Server first = server;
      server = other;
      assertServes();
      refused(400, "", inferJson("", 1, 2));
      server = first;
    }
  }

  /** What comes in chunks takes a client and a server more work. */
  @Test
  void anAnswerThatIsNoStreamSaysItsLength() throws IOException {
    serve();
    List<Answer> answers =
        List.of(
            inferJson(sequence(1, true, false), x(1, 1)),
            inferBinary(sequence(1, false, false), x(1, 2)),
            get("/v2/models/m/sequences/1/state"),
            get("/v2/models/z"),
            get("/metrics"),
            get("/"));
    for (Answer answer : answers) {
      assertEquals(Integer.toString(answer.body().length), answer.header("Content-Length"));
      assertEquals("", answer.header("Transfer-Encoding"));
    }
  }

  @Test
  void thePageIsWholeAndMayLoadNothing() throws IOException {
    serve();
    Answer page = get("/");
    String policy = page.header("Content-Security-Policy");
    assertTrue(policy.startsWith("default-src 'none'; script-src 'sha256-"), policy);
    assertTrue(!policy.contains("unsafe") && !policy.contains("http"), policy);
    Matcher outside =
        Pattern.compile("(src|href)=|@import|url\\(|https?://|style=\"| on[a-z]+=\"")
            .matcher(page.text());
    assertTrue(!outside.find(), () -> outside.group());
    assertEquals(200, send(to("/").method("HEAD", noBody()).build()).status());
  }

  private static BodyPublisher noBody() {
    return BodyPublishers.noBody();
  }
}
