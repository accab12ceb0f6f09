package io.recur.serve;

import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Calls by number, so that native memory can refer to them. */
final class Tickets {
  private @Nullable Waiting[] calls = new Waiting[64];
  private int[] free = new int[64];
  private int freed;
  private int issued;

  /** Gives a call a number. */
  int take(Waiting call) {
    int ticket = freed > 0 ? free[--freed] : issued++;
    if (ticket == calls.length) {
      calls = Arrays.copyOf(calls, 2 * ticket);
      free = Arrays.copyOf(free, 2 * ticket);
    }
    calls[ticket] = call;
    call.ticket = ticket;
    return ticket;
  }

  /** The call with a number. */
  Waiting at(int ticket) {
    return calls[ticket];
  }

  void giveBack(int ticket) {
    calls[ticket] = null;
    free[freed++] = ticket;
  }

  /** Visits all calls that have a number. */
  void forEach(Consumer<Waiting> visitor) {
    for (int i = 0; i < issued; i++) {
      Waiting call = calls[i];
      if (call != null) {
        visitor.accept(call);
      }
    }
  }
}
