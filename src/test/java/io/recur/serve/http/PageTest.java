package io.recur.serve.http;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.io.json.Json;
import io.recur.nn.Chain;
import io.recur.serve.Sessions;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.Writer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Stream;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page in a browser, which is driven through its own protocol. */
@Tag(Devices.CPU)
class PageTest {
  private static final String VOCABULARY = "\n abcde";

  @TempDir private Path folder;
  @AutoClose private final Device device = Devices.here();
  @AutoClose private final HttpClient client = HttpClient.newHttpClient();

  private static Path browser() {
    List<String> names = List.of("chromium", "chromium-browser", "google-chrome");
    return Stream.of(System.getenv("PATH").split(File.pathSeparator))
        .flatMap(path -> names.stream().map(name -> Path.of(path, name)))
        .filter(path -> path.toFile().canExecute())
        .findFirst()
        .orElse(null);
  }

  /** What the browser answers, message by message. */
  private static final class Messages implements WebSocket.Listener {
    private final BlockingQueue<String> all = new LinkedBlockingQueue<>();
    private final StringBuilder text = new StringBuilder();

    @Override
    public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean isLast) {
      text.append(data);
      if (isLast) {
        all.add(text.toString());
        text.setLength(0);
      }
      socket.request(1);
      return null;
    }
  }

  private WebSocket socket;
  private final Messages messages = new Messages();
  private int last;

  /** Calls a method of the browser's protocol, and returns its result. */
  private Map<?, ?> call(String method, String session, String parameters)
      throws InterruptedException {
    int id = ++last;
    String its = session.isEmpty() ? "" : ", \"sessionId\": " + Json.quoted(session);
    socket
        .sendText(
            "{\"id\": %d, \"method\": \"%s\", \"params\": %s%s}"
                .formatted(id, method, parameters, its),
            true)
        .join();
    while (true) {
      Map<String, Object> message = Json.read(messages.all.take(), 64);
      if (message.get("id") instanceof Long number && number == id) {
        assertTrue(message.get("error") == null, message.toString());
        return (Map<?, ?>) message.get("result");
      }
    }
  }

  private Object value(String session, String script) throws InterruptedException {
    Map<?, ?> result =
        call("Runtime.evaluate", session, "{\"expression\": %s}".formatted(Json.quoted(script)));
    return ((Map<?, ?>) result.get("result")).get("value");
  }

  private void awaitTrue(String session, String script) throws InterruptedException {
    while (!Boolean.TRUE.equals(value(session, script))) {
      Thread.sleep(20);
    }
  }

  @Test
  void itShowsSessionsAndWritesWithTheModel() throws Exception {
    Path browser = browser();
    assumeTrue(browser != null, "there is no Chromium on the PATH");
    Chain model = chain(lstm(7, 8), dense(8, 7)).on(device, 3);
    Process process =
        new ProcessBuilder(
                browser.toString(),
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--remote-debugging-port=0",
                "--user-data-dir=" + folder.resolve("profile"),
                "about:blank")
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    try (Sessions sessions = Sessions.open(model, device);
        Server server =
            Server.open(
                ServerSettings.LOCAL.withPort(0),
                ServedModel.of("letters", sessions).withSizes(7, 7).withVocabulary(VOCABULARY))) {
      sessions.open(1, 2, 3);
      socket =
          client.newWebSocketBuilder().buildAsync(URI.create(address(process)), messages).join();
      Map<?, ?> target =
          call(
              "Target.createTarget",
              "",
              "{\"url\": %s}".formatted(Json.quoted(server.uri().toString())));
      String session =
          (String)
              call(
                      "Target.attachToTarget",
                      "",
                      "{\"targetId\": \"%s\", \"flatten\": true}".formatted(target.get("targetId")))
                  .get("sessionId");
      awaitTrue(session, "document.getElementById('state')?.textContent === 'live'");
      assertEquals("3", value(session, "document.getElementById('sessions').textContent"));
      assertEquals(false, value(session, "document.getElementById('writing').hidden"));
      value(
          session,
          """
          document.getElementById('text').value = 'abc'; \
          document.getElementById('length').value = 40; \
          document.getElementById('write').click()""");
      awaitTrue(session, "document.getElementById('written').textContent.length === 43");
      String written = (String) value(session, "document.getElementById('written').textContent");
      assertTrue(
          written.startsWith("abc") && written.chars().allMatch(c -> VOCABULARY.indexOf(c) >= 0));
      awaitTrue(session, "document.getElementById('rate').textContent !== '–'");
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly().waitFor();
    }
  }

  /** Where the browser listens, which it prints. */
  private static String address(Process process) throws IOException {
    BufferedReader err = process.errorReader();
    for (String line = err.readLine(); line != null; line = err.readLine()) {
      if (line.startsWith("DevTools listening on ")) {
        Thread.ofVirtual().start(() -> discard(err));
        return line.substring("DevTools listening on ".length());
      }
    }
    throw new AssertionError("the browser ended before it listened");
  }

  private static void discard(BufferedReader err) {
    try {
      err.transferTo(Writer.nullWriter());
    } catch (IOException e) {
      // The browser has ended.
    }
  }
}
