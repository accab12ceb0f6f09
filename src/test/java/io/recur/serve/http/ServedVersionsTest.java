package io.recur.serve.http;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.grad.Tape;
import io.recur.nn.Chain;
import io.recur.nn.Snapshot;
import io.recur.serve.Moving;
import io.recur.serve.Sessions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Versions of a model behind a server: side by side, loaded and unloaded while it serves. */
class ServedVersionsTest extends ServedSessions {
  private static final String LOAD = "/v2/repository/models/m/load";
  private static final String UNLOAD = "/v2/repository/models/m/unload";
  private static final int LARGER = 5;
  private static final float[] X = {0.1f, 0.2f, 0.3f};

  private final Chain retrained = chain(lstm(IN, 8), dense(8, OUT)).on(device, 7);
  private final Chain larger = chain(lstm(IN, 12), dense(12, LARGER)).on(device, 8);
  private final List<ServedModel> versions = new ArrayList<>();
  private final List<Chain> next = new ArrayList<>();

  /** Loads what comes next, and keeps what was before. */
  private final class Next implements Repository {
    @Override
    public List<String> names() {
      return List.of("m", "other");
    }

    @Override
    public List<ServedModel> load(String name, Moving moving) throws IOException {
      if (next.isEmpty()) {
        throw new IOException("nothing comes next");
      }
      Chain model = next.getFirst();
      if (versions.isEmpty()) {
        sessions = Sessions.open(model, device);
        put(1, OUT);
      } else {
        put(sessions.versions().replace(model, moving), model == larger ? LARGER : OUT);
      }
      next.removeFirst();
      List<Integer> serving =
          sessions.versions().all().stream().map(version -> version.number()).toList();
      versions.removeIf(version -> !serving.contains(version.number()));
      return List.copyOf(versions);
    }

    @Override
    public void unload(String name) {
      versions.clear();
      sessions.drain();
    }
  }

  private void put(int number, int out) {
    sessions.versions().keep(number);
    versions.add(ServedModel.of("m", sessions).withVersion("" + number, number).withSizes(IN, out));
  }

  @BeforeEach
  void begin() throws IOException {
    gate.open();
    sessions = Sessions.open(model, device);
    put(1, OUT);
    server =
        Server.open(
            ServerSettings.LOCAL.withPort(0), new Next(), versions.toArray(ServedModel[]::new));
  }

  @AfterEach
  void end() {
    server.close();
    sessions.close();
  }

  private void load(Chain model, String moving) {
    next.add(model);
    Answer answer = post(LOAD, "{\"parameters\": {\"moving\": \"%s\"}}".formatted(moving));
    assertEquals(200, answer.status(), answer.text());
  }

  private float[] alone(Chain its, float[]... steps) {
    try (Chain own = its.fork();
        Tape tape = Tape.inference(device)) {
      float[] y = {};
      for (float[] x : steps) {
        y = own.apply(tape.input(x)).toArray();
        tape.clear();
      }
      return y;
    }
  }

  private Answer infer(String version, String parameters) {
    return post(
        "/v2/models/m%s/infer".formatted(version.isEmpty() ? "" : "/versions/" + version),
        body(parameters, "[1, 3]", "[0.1, 0.2, 0.3]"));
  }

  private void answers(String version, float[] expected, Answer answer) {
    assertArrayEquals(expected, floats(answer), answer.text());
    assertEquals(version, answer.json().get("model_version"));
  }

  @Test
  void metadataListsTheVersionsThatServe() {
    assertEquals(List.of("1"), get("/v2/models/m").json().get("versions"));
    load(larger, "at_reset");
    Map<String, Object> newest = get("/v2/models/m").json();
    assertEquals(List.of("1", "2"), newest.get("versions"));
    assertEquals(newest, get("/v2/models/m/versions/2").json());
    Map<String, Object> first = get("/v2/models/m/versions/1").json();
    assertEquals(List.of("1", "2"), first.get("versions"));
    assertEquals(List.of(-1L, (long) OUT), shape(first));
    assertEquals(List.of(-1L, (long) LARGER), shape(newest));
    assertEquals(200, get("/v2/models/m/versions/1/ready").status());
    refused(404, "of version \"3\" is not served; served are m (1), m (2)", infer("3", ""));
  }

  private static Object shape(Map<String, Object> metadata) {
    return ((Map<?, ?>) ((List<?>) metadata.get("outputs")).getFirst()).get("shape");
  }

  @Test
  void aRequestHasTheNewestVersionUnlessItsPathNamesAnother() {
    load(larger, "at_reset");
    answers("2", alone(larger, X), infer("", ""));
    answers("2", alone(larger, X), infer("2", ""));
    answers("1", alone(model, X), infer("1", ""));
  }

  @Test
  void aSequenceStaysWithItsVersionUntilItStartsAgain() {
    answers("1", alone(model, X), infer("", sequence(1, true, false)));
    load(larger, "at_reset");
    answers("2", alone(larger, X), infer("", sequence(2, true, false)));
    answers("1", alone(model, X, X), infer("", sequence(1, false, false)));
    answers("1", alone(model, X, X, X), infer("1", sequence(1, false, false)));
    answers("2", alone(larger, X, X), infer("", sequence(2, false, false)));
    refused(
        409,
        "version 2 of m does not step sequence 1; start it again, or leave the version out",
        infer("2", sequence(1, false, false)));
    answers("2", alone(larger, X), infer("", sequence(1, true, false)));
    answers("1", alone(model, X), infer("1", sequence(2, true, false)));
    answers("1", alone(model, X, X), infer("", sequence(2, false, true)));
    refused(404, "sequence 2 of m is not open", infer("", sequence(2, false, false)));
    refused(404, "sequence 2 of m is not open", infer("1", sequence(2, false, false)));
  }

  @Test
  void aSequenceThatMovesAtOnceTakesItsStateAlong() {
    answers("1", alone(model, X), infer("", sequence(1, true, false)));
    byte[] state = get("/v2/models/m/sequences/1/state").body();
    load(retrained, "at_once");
    assertEquals(List.of("2"), get("/v2/models/m").json().get("versions"));
    try (Chain own = retrained.fork();
        Tape tape = Tape.inference(device)) {
      own.restore(Snapshot.of(state));
      answers("2", own.apply(tape.input(X)).toArray(), infer("", sequence(1, false, false)));
    }
    refused(404, "of version \"1\" is not served", infer("1", ""));
  }

  @Test
  void whatCannotBeLoadedLeavesTheModelServed() {
    infer("", sequence(1, true, false));
    refused(503, "IOException: nothing comes next", post(LOAD, ""));
    next.add(larger);
    refused(400, "12", post(LOAD, "{\"parameters\": {\"moving\": \"at_once\"}}"));
    refused(400, "need at_reset or at_once", post(LOAD, "{\"parameters\": {\"moving\": \"x\"}}"));
    refused(
        404, "it has no model \"z\"; it has m, other", post("/v2/repository/models/z/load", ""));
    refused(404, "there is nothing", post("/v2/repository/models/m/reload", ""));
    refused(405, "this path takes POST", get(LOAD));
    answers("1", alone(model, X, X), infer("", sequence(1, false, false)));
    assertEquals(List.of("1"), get("/v2/models/m").json().get("versions"));
  }

  @Test
  void theIndexSaysWhatIsLoaded() {
    load(larger, "at_reset");
    String first = entry("m", "1", "READY", "");
    String second = entry("m", "2", "READY", "");
    String other = entry("other", "", "UNAVAILABLE", "unloaded");
    assertEquals(
        "[%s, %s, %s]".formatted(first, second, other), post("/v2/repository/index", "").text());
    assertEquals(
        "[%s, %s]".formatted(first, second),
        post("/v2/repository/index", "{\"ready\": true}").text());
    assertEquals("{}", post(UNLOAD, "").text());
    assertEquals("[]", post("/v2/repository/index", "{\"ready\": true}").text());
    assertTrue(
        post("/v2/repository/index", "").text().contains("\"name\": \"m\", \"version\": \"\""));
  }

  private static String entry(String name, String version, String state, String reason) {
    return "{\"name\": \"%s\", \"version\": \"%s\", \"state\": \"%s\", \"reason\": \"%s\"}"
        .formatted(name, version, state, reason);
  }

  @Test
  void anUnloadedModelIsNotServedUntilItIsLoaded() {
    infer("", sequence(1, true, false));
    assertEquals(200, post(UNLOAD, "").status());
    refused(404, "model \"m\" is not served", infer("", ""));
    refused(404, "model \"m\" is not served", post(UNLOAD, ""));
    assertEquals("{\"models\": []}", get("/v2/models").text());
    assertEquals(200, get("/metrics").status());
    load(retrained, "at_reset");
    answers("1", alone(retrained, X), infer("", ""));
    refused(404, "sequence 1 of m is not open", infer("", sequence(1, false, false)));
  }

  @Test
  void metricsCountTheSessionsOfEachVersion() {
    infer("", sequence(1, true, false));
    infer("", sequence(2, true, false));
    load(larger, "at_reset");
    infer("", sequence(3, true, false));
    String text = get("/metrics").text();
    assertTrue(text.contains("recur_version_sessions{model=\"m\",version=\"1\"} 2\n"), text);
    assertTrue(text.contains("recur_version_sessions{model=\"m\",version=\"2\"} 1\n"), text);
    assertTrue(text.contains("recur_sessions{model=\"m\",version=\"2\"} 3\n"), text);
    assertTrue(text.contains("recur_request_seconds_count{model=\"m\",version=\"1\"} 2\n"), text);
    assertTrue(text.contains("recur_request_seconds_count{model=\"m\",version=\"2\"} 1\n"), text);
  }

  /** No request fails while the model is replaced under them, and none is answered by half. */
  @Test
  void clientsSeeNoErrorWhileAModelIsReplaced() throws Exception {
    int clients = 4;
    CountDownLatch isOver = new CountDownLatch(1);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Integer>> all = new ArrayList<>();
      for (int c = 1; c <= clients; c++) {
        int id = c;
        all.add(
            threads.submit(
                () -> {
                  int count = 0;
                  for (; isOver.getCount() > 0 || count == 0; count++) {
                    Answer first = infer("", sequence(id, true, false));
                    Answer second = infer("", sequence(id, false, true));
                    assertEquals(200, first.status(), first.text());
                    assertEquals(200, second.status(), second.text());
                  }
                  return count;
                }));
      }
      for (int round = 0; round < 20; round++) {
        load(round % 2 == 0 ? retrained : model, round % 3 == 0 ? "at_reset" : "at_once");
      }
      isOver.countDown();
      for (Future<Integer> count : all) {
        assertTrue(count.get() > 0);
      }
    }
  }

  @Test
  void aServerWithoutARepositoryLoadsNothing() throws IOException {
    Server mine = server;
    try (Server plain =
        Server.open(ServerSettings.LOCAL.withPort(0), ServedModel.of("m", sessions))) {
      server = plain;
      refused(403, "neither loads nor unloads", post(LOAD, ""));
      refused(403, "neither loads nor unloads", post(UNLOAD, ""));
      assertEquals(
          "[%s]".formatted(entry("m", "1", "READY", "")), post("/v2/repository/index", "").text());
    } finally {
      server = mine;
    }
  }

  /** Nobody has unloaded it: it serves until its last sequence has left. */
  @Test
  void aVersionThatIsNotKeptServesAsLongAsItHasSequences() {
    infer("", sequence(1, true, false));
    load(larger, "at_reset");
    sessions.versions().release(1);
    assertEquals(List.of("1", "2"), get("/v2/models/m").json().get("versions"));
    answers("1", alone(model, X, X), infer("", sequence(1, false, true)));
    assertEquals(List.of("2"), get("/v2/models/m").json().get("versions"));
    assertEquals(
        "[%s]".formatted(entry("m", "2", "READY", "")),
        post("/v2/repository/index", "{\"ready\": true}").text());
    refused(409, "does not step this request: it was unloaded", infer("1", ""));
  }

  /** So that the bound on open sequences holds, and histograms are of all requests. */
  @Test
  void aLoadKeepsTheSequencesAndTheVersionsThatAreTheSame() {
    ServerSettings settings = ServerSettings.LOCAL;
    ServedModel first = versions.getFirst();
    ServedVersions before = ServedVersions.of(List.of(first), settings, null);
    ServedVersions same = ServedVersions.of(List.of(first), settings, before);
    assertSame(before.sequences(), same.sequences());
    assertSame(before.newest(), same.newest());
    ServedModel renamed = first.withNames("u", "v");
    assertEquals(first.number(), renamed.number());
    ServedVersions changed = ServedVersions.of(List.of(renamed), settings, before);
    assertSame(before.sequences(), changed.sequences());
    assertEquals("v", changed.newest().model().output());
  }

  @Test
  void versionsOfANameHaveTheSameSessionsAndServe() {
    ServerSettings settings = ServerSettings.LOCAL.withPort(0);
    ServedModel first = versions.getFirst();
    ServedModel second = first.withVersion("2", 2);
    Thrown.says(
        IllegalArgumentException.class,
        () -> Server.open(settings, first, second),
        "version 2 of m has number 2, its sessions have [1]");
    Thrown.says(
        IllegalArgumentException.class, () -> Server.open(settings, first, first), "two models");
    Thrown.says(
        IllegalArgumentException.class,
        () -> Server.open(settings, ServedModel.of("m", sessions).withVersion("0"), first),
        "two models are named m");
    try (Sessions others = Sessions.open(larger, device)) {
      ServedModel of = ServedModel.of("m", others).withVersion("3", 1);
      Thrown.says(
          IllegalArgumentException.class,
          () -> Server.open(settings, first, of),
          "versions of the same sessions");
    }
  }
}
