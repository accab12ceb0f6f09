package io.recur.serve;

import static io.recur.nn.Layers.chain;
import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.lstm;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.recur.Thrown;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Tape;
import io.recur.nn.Chain;
import io.recur.serve.SessionException.Reason;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.function.Executable;

/** A small model behind a gate, sessions of it, and what a fork of it answers. */
abstract class GatedSessions {
  static final int IN = 3;

  @AutoClose final Device device = Devices.here();
  final Gate gate = new Gate();
  final Chain model = chain(gate, lstm(IN, 8), dense(8, 2)).on(device, 1);

  static void refused(Reason reason, Executable call, String... words) {
    Thrown.says(SessionException.class, call, words);
    assertSame(reason, assertThrows(SessionException.class, call).reason());
  }

  static void refused(Reason reason, CompletableFuture<float[]> call) {
    CompletionException thrown = assertThrows(CompletionException.class, call::join);
    assertSame(reason, ((SessionException) thrown.getCause()).reason(), thrown.toString());
  }

  Sessions opened(Batching batching) {
    return Sessions.open(model, device, batching);
  }

  /** Sessions whose model needs no gate to open. */
  Sessions opened() {
    gate.open();
    return opened(Batching.ADAPTIVE);
  }

  /** The last answer of a fork of the model to equal inputs, after as many steps. */
  float[] alone(int steps) {
    gate.open();
    return alone(model, steps);
  }

  /** The same of another model. */
  float[] alone(Chain its, int steps) {
    try (Chain own = its.fork();
        Tape tape = Tape.inference(device)) {
      float[] y = {};
      for (int t = 0; t < steps; t++) {
        y = own.apply(tape.input(1, 2, 3)).toArray();
        tape.clear();
      }
      return y;
    }
  }
}
