package io.recur.serve.http;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.serve.Batching;
import java.net.ConnectException;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A server that ends answers what has come. */
class DrainTest extends ServedSessions {
  private CompletableFuture<Answer> inside;

  /** A request is inside the model, which waits for its gate. */
  @BeforeEach
  void begin() throws Exception {
    serve(ServerSettings.LOCAL.withPort(0), Batching.ADAPTIVE);
    inside =
        CompletableFuture.supplyAsync(
            () -> inferJson(sequence(1, true, false), x(1, 1)), Thread::startVirtualThread);
    gate.awaitBatch();
  }

  private CompletableFuture<Boolean> drained(long millis) throws InterruptedException {
    CompletableFuture<Boolean> drained =
        CompletableFuture.supplyAsync(() -> server.drain(millis), Thread::startVirtualThread);
    while (isReady()) {
      Thread.sleep(1);
    }
    return drained;
  }

  private boolean isReady() {
    try {
      return get("/v2/health/ready").status() == 200;
    } catch (AssertionError e) { // it has ended already
      return false;
    }
  }

  @Test
  void whatHasComeIsAnsweredAndWhatComesIsRefused() throws Exception {
    CompletableFuture<Boolean> drained = drained(600_000);
    assertEquals(false, get("/v2/health/ready").json().get("ready"));
    assertEquals(200, get("/v2/health/live").status());
    Answer late = inferJson(sequence(2, true, false), x(1, 1));
    refused(503, "takes no more requests", late);
    assertEquals("1", late.header("Retry-After"));
    assertEquals("close", late.header("Connection"));
    assertFalse(drained.isDone());
    gate.open();
    assertTrue(drained.join());
    assertArrayEquals(alone(x(1, 1))[0], floats(inside.join()));
    assertThrows(
        ConnectException.class,
        () -> client.send(to("/v2/health/live").build(), BodyHandlers.discarding()));
    server.drain(0);
    server.close();
  }

  @Test
  void afterItsTimeItEndsAllTheSame() throws Exception {
    assertFalse(drained(0).join());
    gate.open();
    assertThrows(CompletionException.class, inside::join);
  }
}
