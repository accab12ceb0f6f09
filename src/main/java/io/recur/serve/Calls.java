package io.recur.serve;

import io.recur.device.Device;
import io.recur.nn.Layer;
import io.recur.nn.Snapshot;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** The callers' side: calls are sent to the stepping thread, and waited for. */
final class Calls {
  private final Inbox inbox;
  private final Device device;
  private final Batching batching;

  /** A secret of the hashes of ids. */
  private final long seed = new SecureRandom().nextLong();

  private final Stepping stepping;
  private final Thread thread;

  /** Starts a stepping thread for a fork of a model. */
  Calls(Layer model, Device device, Batching batching, @Nullable Idle idle) {
    this.device = device;
    this.batching = batching;
    this.inbox = new Inbox(batching.mostWaiting());
    this.stepping = new Stepping(inbox, new Version(batch(model)), batching, idle, seed);
    this.thread = Thread.ofPlatform().daemon().name("recur-sessions").start(stepping);
  }

  /** Begins to use a fork of a model. */
  Batch batch(Layer model) {
    return new Batch(model.fork(), device, batching.largest());
  }

  /** The version with which sessions begin at present. */
  Version newest() {
    return stepping.newest();
  }

  /** The calls that wait at present, without waiting for the stepping thread. */
  int waiting() {
    return inbox.waiting();
  }

  Distributions distributions() {
    return stepping.distributions();
  }

  /** The counts of this moment; the last ones after the end. */
  Counts counts() {
    if (Thread.currentThread() != thread) {
      Waiting call = send(new TableCall(Waiting.Kind.COUNT, Id.of(0)));
      settle(call);
    }
    return stepping.counts();
  }

  /** Sends a call, which is its own answer in time. */
  Waiting send(Waiting call) {
    call.hash = call.id.hash(seed);
    inbox.send(call);
    return call;
  }

  /** Sends a call and waits for its answer. */
  float[] answer(Waiting call) {
    refuseStepping();
    return answered(send(call));
  }

  /** Waits for the answer of a call that has been sent. */
  float[] answered(Waiting call) {
    try {
      return call.join();
    } catch (CompletionException e) {
      switch (e.getCause()) {
        case RuntimeException cause -> throw cause;
        case Error cause -> throw cause;
        case null, default -> throw e;
      }
    }
  }

  /** Waits until a call uses its memory no more, whatever its answer is. */
  void settle(Waiting call) {
    call.handle((nothing, refused) -> nothing).join();
  }

  /** Sends a sequence and waits for its answers, one array for each step. */
  float[][] answers(Waiting call) {
    float[] all = answer(call);
    int rows = call.answerRows;
    float[][] steps = new float[all.length / rows][];
    for (int t = 0; t < steps.length; t++) {
      steps[t] = Arrays.copyOfRange(all, rows * t, rows * (t + 1));
    }
    return steps;
  }

  /** Opens all sessions or none. */
  void open(Id... ids) {
    TableCall call = new TableCall(Waiting.Kind.OPEN, ids.length == 0 ? Id.of(0) : ids[0]);
    call.ids = ids;
    answer(call);
  }

  /** Opens a session with the state of another. */
  void fork(Id id, Id other) {
    TableCall call = new TableCall(Waiting.Kind.FORK, id);
    call.other = other;
    answer(call);
  }

  /** The state of a session as bytes. */
  byte[] save(Id id) {
    TableCall call = new TableCall(Waiting.Kind.SAVE, id);
    float[] values = answer(call);
    return call.version.states().snapshot(values).toBytes();
  }

  /** Gives a session the newest version and a state of it. */
  void restore(Id id, byte[] state) {
    TableCall call = new TableCall(Waiting.Kind.RESTORE, id);
    call.snapshot = Snapshot.of(state);
    call.version = newest();
    call.values = call.version.states().values(call.snapshot);
    answer(call);
  }

  private void refuseStepping() {
    if (Thread.currentThread() == thread) {
      throw new IllegalStateException(
          """
          sessions: a call on the stepping thread would wait for itself; use stepAsync, or a \
          method such as thenApplyAsync for what depends on an answer""");
    }
  }

  /** Refuses new calls, answers those that wait, and ends the thread. */
  void drain() {
    refuseStepping();
    stepping.end(true);
    join();
    RuntimeException unstored = stepping.unstored();
    if (unstored != null) {
      throw unstored;
    }
  }

  /** Refuses all calls and ends the thread. */
  void end() {
    stepping.end(false);
    if (Thread.currentThread() != thread) {
      join();
    }
  }

  private void join() {
    boolean isInterrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        isInterrupted = true; // for the caller, once the memory is free
      }
    }
    if (isInterrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
