package io.recur.cli;

import static io.recur.cli.Shell.assertFails;
import static io.recur.cli.Shell.await;
import static io.recur.cli.Shell.child;
import static io.recur.cli.Shell.ended;
import static io.recur.cli.Shell.err;
import static io.recur.cli.Shell.recur;
import static io.recur.cli.Shell.started;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.recur.device.Devices;
import io.recur.io.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code recur serve} in a JVM of its own. */
@Tag(Devices.CPU)
class ServeTest {
  private static final String LINE = "the quick brown fox jumps over the lazy dog.\n";

  private static final String STEP =
      """
      {"parameters": {"sequence_id": 5, "sequence_start": %s}, \
      "inputs": [{"name": "x", "shape": [1], "datatype": "INT64", "data": [3]}]}""";

  @TempDir private Path folder;
  @AutoClose private final HttpClient client = HttpClient.newHttpClient();
  private Path model;
  private Process server;
  private URI uri;

  @BeforeEach
  void train() throws IOException {
    Path text = folder.resolve("text");
    Files.writeString(text, LINE.repeat(200));
    model = folder.resolve("model.safetensors");
    Shell.Result trained =
        recur(
            "train",
            "--text",
            "" + text,
            "--hidden",
            "8",
            "--batch",
            "4",
            "--steps",
            "16",
            "--epochs",
            "1",
            "--out",
            "" + model);
    assertEquals(0, trained.status(), trained.err());
  }

  @AfterEach
  void end() throws InterruptedException {
    if (server != null) {
      server.destroyForcibly().waitFor();
    }
  }

  private void serve(Map<String, String> environment, String... more) throws Exception {
    List<String> words = new ArrayList<>(List.of("serve", "--port", "0"));
    words.addAll(List.of(more));
    ProcessBuilder child = child(List.of(), words.toArray(String[]::new));
    child.environment().putAll(environment);
    server = started(child, folder);
    Path out = folder.resolve("out");
    await(server, () -> Files.readString(out).contains("/\n"));
    uri = URI.create(Files.readString(out).strip().replaceFirst(".* ", ""));
  }

  private HttpResponse<String> post(String path, String body, String... headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri.resolve(path)).POST(BodyPublishers.ofString(body));
    for (int i = 0; i < headers.length; i += 2) {
      request.header(headers[i], headers[i + 1]);
    }
    return client.send(request.build(), BodyHandlers.ofString());
  }

  private HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return client.send(HttpRequest.newBuilder(uri.resolve(path)).build(), BodyHandlers.ofString());
  }

  private static void signal(String name, Process process) throws Exception {
    assumeFalse(
        System.getProperty("os.name").startsWith("Windows"), "Windows has no signals to send");
    String pid = Long.toString(process.pid());
    assertEquals(0, new ProcessBuilder("kill", "-" + name, pid).start().waitFor());
  }

  /** The text of a server is that of the command. */
  @Test
  void aCheckpointWritesTheTextOfRecurSample() throws Exception {
    serve(Map.of(), model.toString());
    HttpResponse<String> answer =
        post(
            "/v2/models/model/generate",
            """
            {"text_input": "the ", "parameters": {"max_tokens": 50, "seed": 7}}""");
    assertEquals(200, answer.statusCode(), answer.body());
    Shell.Result sample =
        recur("sample", "--model", "" + model, "--prime", "the ", "--length", "50", "--seed", "7");
    assertEquals(
        sample.out().stripTrailing(),
        ("the " + Json.read(answer.body(), 4).get("text_output")).stripTrailing());
  }

  @Test
  void everyKindOfModelIsServedUnderItsName() throws Exception {
    Path graph = folder.resolve("graph.onnx");
    assertEquals(0, recur("convert", "" + model, "" + graph).status());
    assertFails(1, "of a graph --independent says so", recur("serve", "" + graph));
    serve(Map.of(), "first=" + model, "" + graph, "--independent");
    assertEquals("{\"models\": [\"first\", \"graph\"]}", get("/v2/models").body());
    String symbols =
        """
        {"inputs": [{"name": "%s", "shape": [1], "datatype": "%s", "data": [3]}]}""";
    HttpResponse<String> first = post("/v2/models/first/infer", symbols.formatted("x", "INT64"));
    assertEquals(200, first.statusCode(), first.body());
    Map<String, Object> about = Json.read(get("/v2/models/graph").body(), 8);
    Map<?, ?> input = (Map<?, ?>) ((List<?>) about.get("inputs")).getFirst();
    int in = ((Number) ((List<?>) input.get("shape")).getLast()).intValue();
    assertTrue(in > 1, about.toString());
    String x = "0, ".repeat(3) + "1" + ", 0".repeat(in - 4);
    HttpResponse<String> second =
        post(
            "/v2/models/graph/infer",
            """
            {"inputs": [{"name": "%s", "shape": [1, %d], "datatype": "FP32", "data": [%s]}]}"""
                .formatted(input.get("name"), in, x));
    assertEquals(200, second.statusCode(), second.body());
    for (int i = 0; i < in; i++) { // the graph adds up node by node
      assertEquals(number(data(first).get(i)), number(data(second).get(i)), 1e-5);
    }
  }

  /** A graph of several inputs, of which one stays open: its state is that of the sequence. */
  @Test
  void aGraphIsServedWithAnInputThatIsFixed() throws Exception {
    Path graph = folder.resolve("speech.onnx");
    try (ZipInputStream zip =
        new ZipInputStream(ServeTest.class.getResourceAsStream("/onnx/silero.zip"))) {
      while (!zip.getNextEntry().getName().equals("16000.onnx")) {
        zip.closeEntry();
      }
      Files.write(graph, zip.readAllBytes());
    }
    assertFails(1, "--fix rate", recur("serve", "" + graph, "--fix", "rate=16000"));
    assertFails(1, "--fix sr=high", recur("serve", "" + graph, "--fix", "sr=high"));
    serve(Map.of(), "" + graph, "--fix", "sr=16000", "--independent");
    String x = "0.1, -0.2, ".repeat(288).replaceFirst(", $", "");
    double last = -1;
    for (String isStart : List.of("true", "false")) {
      HttpResponse<String> answer =
          post(
              "/v2/models/speech/infer",
              """
              {"parameters": {"sequence_id": 5, "sequence_start": %s}, "inputs": [{"name": "input", \
              "shape": [1, 576], "datatype": "FP32", "data": [%s]}]}"""
                  .formatted(isStart, x));
      assertEquals(200, answer.statusCode(), answer.body());
      double score = number(data(answer).getFirst());
      assertTrue(score > 0 && score < 1 && score != last, answer.body());
      last = score;
    }
  }

  private static double number(Object value) {
    return ((Number) value).doubleValue();
  }

  private static List<?> data(HttpResponse<String> answer) {
    List<?> outputs = (List<?>) Json.read(answer.body(), 8).get("outputs");
    return (List<?>) ((Map<?, ?>) outputs.getFirst()).get("data");
  }

  private String versions(String name) throws Exception {
    return Json.read(get("/v2/models/" + name).body(), 8).get("versions").toString();
  }

  private String version(HttpResponse<String> answer) {
    assertEquals(200, answer.statusCode(), answer.body());
    return (String) Json.read(answer.body(), 8).get("model_version");
  }

  /** A name that is given again, and a file that is loaded again, are further versions. */
  @Test
  void aNameHasSeveralVersions() throws Exception {
    Path other = Files.copy(model, folder.resolve("other.safetensors"));
    serve(Map.of(), "m=" + model, "m=" + other, "--allow-loading");
    assertEquals("[1, 2]", versions("m"));
    assertEquals("2", version(post("/v2/models/m/infer", STEP.formatted("true"))));
    assertEquals("1", version(post("/v2/models/m/versions/1/infer", STEP.formatted("true"))));
    assertEquals("1", version(post("/v2/models/m/infer", STEP.formatted("false"))));
    assertEquals("{}", post("/v2/repository/models/m/load", "").body());
    assertEquals("[1, 3]", versions("m"), "no sequence has 2, which 3 replaces");
    assertEquals("1", version(post("/v2/models/m/infer", STEP.formatted("false"))));
    String atOnce = "{\"parameters\": {\"moving\": \"at_once\"}}";
    assertEquals("{}", post("/v2/repository/models/m/load", atOnce).body());
    assertEquals("[4]", versions("m"));
    assertEquals("4", version(post("/v2/models/m/infer", STEP.formatted("false"))));
    Files.delete(other);
    HttpResponse<String> gone = post("/v2/repository/models/m/load", "");
    assertEquals(503, gone.statusCode(), gone.body());
    assertTrue(gone.body().contains("there is no such file"), gone.body());
    assertEquals("4", version(post("/v2/models/m/infer", STEP.formatted("false"))));
  }

  /** As a model repository of Triton has them. */
  @Test
  void aFolderHasAFolderForEachVersion() throws Exception {
    Path all = folder.resolve("forecast");
    for (String number : List.of("2", "10")) {
      Files.createDirectories(all.resolve(number));
      Files.copy(model, all.resolve(number).resolve("model.safetensors"));
    }
    Files.writeString(all.resolve("config.pbtxt"), "name: \"forecast\"");
    String store = folder.resolve("store").toString();
    serve(Map.of(), "" + all, "--allow-loading", "--idle-seconds", "600", "--store", store);
    assertEquals("[2, 10]", versions("forecast"));
    assertEquals("10", version(post("/v2/models/forecast/infer", STEP.formatted("true"))));
    Files.createDirectories(all.resolve("11"));
    HttpResponse<String> empty = post("/v2/repository/models/forecast/load", "");
    assertTrue(empty.body().contains("0 files; need one"), empty.body());
    Files.move(all.resolve("2/model.safetensors"), all.resolve("11/model.safetensors"));
    Files.delete(all.resolve("2"));
    assertEquals("{}", post("/v2/repository/models/forecast/load", "").body());
    assertEquals("[10, 11]", versions("forecast"));
    assertEquals("10", version(post("/v2/models/forecast/infer", STEP.formatted("false"))));
    Files.createDirectories(all.resolve("3"));
    Files.copy(all.resolve("11/model.safetensors"), all.resolve("3/model.safetensors"));
    HttpResponse<String> lower = post("/v2/repository/models/forecast/load", "");
    assertTrue(lower.body().contains("version 3 is lower than 11"), lower.body());
    Files.delete(all.resolve("3/model.safetensors"));
    Files.delete(all.resolve("3"));
    assertEquals("{}", post("/v2/repository/models/forecast/unload", "").body());
    assertEquals(404, get("/v2/models/forecast").statusCode());
    assertEquals("{}", post("/v2/repository/models/forecast/load", "").body());
    assertEquals("[10, 11]", versions("forecast"));
    assertEquals(
        200,
        post("/v2/models/forecast/infer", STEP.formatted("false")).statusCode(),
        "its sequence was in the store");
  }

  /** A stream is under way; its last event comes, and sessions go to the store. */
  @Test
  void aSignalAnswersWhatHasComeAndStoresTheSessions() throws Exception {
    Path store = folder.resolve("store");
    String[] stored = {"" + model, "--store", "" + store, "--idle-seconds", "600"};
    serve(Map.of(), stored);
    assertEquals(200, post("/v2/models/model/infer", STEP.formatted("true")).statusCode());
    InputStream events = stream(5_000);
    assertEquals('d', events.read());
    signal("TERM", server);
    String rest = new String(events.readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(5_000, rest.split("\n\n").length);
    Shell.Result result = ended(server, folder);
    assertEquals(143, result.status(), result.err());
    assertTrue(result.err().contains("recur: all is answered"), result.err());
    serve(Map.of(), stored);
    assertEquals(200, post("/v2/models/model/infer", STEP.formatted("false")).statusCode());
  }

  private InputStream stream(int symbols) throws IOException, InterruptedException {
    return client
        .send(
            HttpRequest.newBuilder(uri.resolve("/v2/models/model/generate_stream"))
                .POST(
                    BodyPublishers.ofString(
                        "{\"parameters\": {\"max_tokens\": %d}}".formatted(symbols)))
                .build(),
            BodyHandlers.ofInputStream())
        .body();
  }

  @Test
  void aSecondSignalEndsItAtOnce() throws Exception {
    serve(Map.of(), model.toString(), "--most-symbols", "2000000000", "--drain-seconds", "86400");
    try (InputStream events = stream(2_000_000_000)) {
      assertEquals('d', events.read());
      signal("TERM", server);
      await(server, () -> err(folder).contains("a second signal ends at once"));
      signal("TERM", server);
      Thread reader = Thread.ofVirtual().start(() -> drain(events));
      assertEquals(143, ended(server, folder).status());
      reader.join();
    }
  }

  private static void drain(InputStream events) {
    try {
      events.transferTo(OutputStream.nullOutputStream());
    } catch (IOException e) {
      // The server has ended.
    }
  }

  @Test
  void theTokenComesFromTheEnvironmentOrAFile() throws Exception {
    serve(Map.of(ServeCommand.TOKEN, "secret"), model.toString());
    assertEquals(401, get("/v2/models").statusCode());
    assertEquals(
        400, post("/v2/models/model/infer", "", "Authorization", "Bearer secret").statusCode());
    end();
    Path tokens = folder.resolve("tokens");
    Files.writeString(tokens, "one\n\n  two  \n");
    serve(Map.of(), model.toString(), "--tokens", tokens.toString());
    assertEquals(
        400, post("/v2/models/model/infer", "", "Authorization", "Bearer two").statusCode());
    assertEquals(401, get("/metrics").statusCode());
  }

  @Test
  void whatCannotBeServedIsToldBeforeItListens() throws IOException {
    String its = model.toString();
    assertFails(2, "Missing required parameter", recur("serve"));
    assertFails(1, "no.onnx: there is no such file", recur("serve", folder + "/no.onnx"));
    assertFails(1, "another model is named model", recur("serve", its, its));
    assertFails(1, "a folder of versions", recur("serve", "m=" + its, "m=" + folder));
    Path none = Files.createDirectory(folder.resolve("none"));
    assertFails(1, "no version; need folders named 1, 2", recur("serve", "" + none));
    assertFails(1, "only a graph of ONNX has inputs", recur("serve", its, "--fix", "sr=1"));
    assertFails(2, "--port=99999", recur("serve", its, "--port", "99999"));
    assertFails(2, "--store: say with --idle-seconds", recur("serve", its, "--store", "s"));
    Path empty = Files.createFile(folder.resolve("empty"));
    assertFails(1, "it has no token", recur("serve", its, "--tokens", "" + empty));
    assertFails(1, "set RECUR_KEY_STORE_PASSWORD", recur("serve", its, "--key-store", "keys.p12"));
    assertFails(1, "mostWaiting=0; need", recur("serve", its, "--most-waiting", "0"));
  }
}
