package io.recur.serve;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Guide;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.nn.Chain;
import io.recur.serve.rocksdb.RocksStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the lines of the guide to serving, and holds that they are those lines. */
@Tag(Devices.CPU)
class ServingGuideTest {
  @AutoClose private final Device device = Devices.here();
  @TempDir private Path folder;

  @Test
  void theGuideShowsTheLinesOfThisTest() throws IOException {
    Path here = Path.of("src/test/java/io/recur/serve/ServingGuideTest.java");
    Guide.shows(Path.of("docs/serving.md"), 11, here);
  }

  @Test
  void theLinesOfTheGuideRun() throws IOException {
    Path path = folder;
    Chain model = chain(lstm(3, 128), dense(128, 5)).on(device, 42);
    Sessions sessions = Sessions.open(model, device);
    sessions.open(7);
    sessions.open("user-17", "user-18");
    float[] scores = sessions.step(7, 0.1f, 0.2f, 0.3f);
    float[][] several = sessions.step("user-17", new float[][] {{1, 2, 3}, {4, 5, 6}});
    assertEquals(5, scores.length);
    assertEquals(2, several.length);

    requests(sessions);

    byte[] state = sessions.save(7);
    sessions.restore("on another machine", state);
    sessions.fork(7, 8);
    sessions.reset(8);
    sessions.close(8);
    assertArrayEquals(sessions.step(7, 1, 2, 3), sessions.step("on another machine", 1, 2, 3));

    versions(sessions);

    long written = SessionFile.write(sessions, path.resolve("all"));
    try (Sessions others = Sessions.open(model, device)) {
      long restored = SessionFile.restore(others, path.resolve("all"));
    }

    assertEquals(5, written);

    try (FileStore store = FileStore.open(path.resolve("idle"));
        Sessions many =
            Sessions.open(model, device, Batching.ADAPTIVE, Idle.after(60_000, store))) {
      many.open(7);
      many.step(7, 1, 2, 3);
      many.drain();
    }

    try (RocksStore store = RocksStore.open(path.resolve("rocks"));
        Sessions many =
            Sessions.open(model, device, Batching.ADAPTIVE, Idle.after(60_000, store))) {
      many.open(7);
      many.drain();
    }

    Batching batching =
        Batching.ADAPTIVE.withLargest(64).withLongestWait(200).withMostWaiting(10_000);
    try (Sessions patient = Sessions.open(model, device, batching)) {
      patient.open(1);
      patient.step(1, 1, 2, 3);
      Counts counts = patient.counts();
    }

    try {
      sessions.step(99, 1, 2, 3);
    } catch (SessionException e) {
      if (e.reason() == SessionException.Reason.UNKNOWN) {
        sessions.open(99);
      }
    }
    sessions.drain();
  }

  private void versions(Sessions sessions) {
    Chain retrained = chain(lstm(3, 128), dense(128, 5)).on(device, 43);
    Chain larger = chain(lstm(3, 200), dense(200, 5)).on(device, 44);

    Versions versions = sessions.versions();
    int number = versions.replace(retrained, Moving.AT_ONCE);
    versions.replace(larger, Moving.AT_RESET);
    List<ModelVersion> all = versions.all();
    int its = versions.of(7);

    assertEquals(2, number);
    assertEquals(2, its);
    assertEquals(2, all.size());

    sessions.versions().keep(2);
    float[] ofSecond = sessions.step(9, Request.of(1, 2, 3).ofVersion(2).starting());
    float[] compared = sessions.stepOnce(Request.of(1, 2, 3).ofVersion(2));

    assertArrayEquals(ofSecond, compared);
  }

  private static void requests(Sessions sessions) {
    Request request = Request.of(0.1f, 0.2f, 0.3f).within(2_000_000);
    CompletableFuture<float[]> later = sessions.stepAsync(7, request);
    float[] answer = sessions.step(7, Request.of(1, 2, 3).numbered(18));
    float[] again = sessions.step(7, Request.of(1, 2, 3).numbered(18));
    later.thenApplyAsync(y -> y[0]);
    assertArrayEquals(answer, again);
    assertEquals(5, later.join().length);

    float[] first = sessions.step("user-19", Request.of(1, 2, 3).starting());
    float[] last = sessions.step("user-19", Request.of(4, 5, 6).ending());
    float[] only = sessions.stepOnce(Request.of(1, 2, 3));

    assertArrayEquals(first, only);
    assertEquals(5, last.length);
  }
}
