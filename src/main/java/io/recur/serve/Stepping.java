package io.recur.serve;

import io.recur.device.DeviceException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The work of the stepping thread: it alone uses the table of sessions and the model. It takes the
 * calls from the inbox, does at once what is no step, gives the steps their turns, and steps those
 * of the oldest turns as one batch.
 *
 * <p>Calls of one session are done in the order in which they were sent: each waits for the one
 * before it, so that of a session at most one step has its turn.
 */
final class Stepping implements Runnable {
  private final Inbox inbox;
  private final Version first;
  private final Batching batching;
  private final @Nullable Idle idle;
  private final long seed;
  private final Distributions distributions = new Distributions();
  private final Turns turns = new Turns();
  private final Tickets tickets = new Tickets();

  /** The sessions of the present batch. */
  private final Waiting[] steps;

  /** The call that comes out of the inbox; those behind it are linked to it. */
  private @Nullable Waiting accepting;

  private Table table;
  private Models models;
  private Shelf shelf;
  private TableCalls others;
  private volatile Version newest;
  private volatile boolean isDraining;

  /** Why sessions did not go to the store at the end. */
  private volatile @Nullable RuntimeException unstored;

  private final Tally tally = new Tally();

  /** Keeps the compiler from leaving {@link #look} out. */
  private int looked;

  Stepping(Inbox inbox, Version first, Batching batching, @Nullable Idle idle, long seed) {
    this.inbox = inbox;
    this.first = first;
    this.newest = first;
    this.batching = batching;
    this.idle = idle;
    this.seed = seed;
    this.steps = new Waiting[batching.largest()];
  }

  @Override
  public void run() {
    try (Table its = new Table(seed);
        Models all = new Models(its, first)) {
      table = its;
      models = all;
      shelf = new Shelf(its, all, idle);
      others = new TableCalls(its, shelf, all);
      serve();
      if (isDraining) {
        putAll();
      }
      tally.count(table, shelf);
      refuseAll(null);
    } catch (RuntimeException | Error e) {
      refuseAll(e); // which all that wait and all that come get as the cause
    }
  }

  private void serve() {
    boolean isRefusing = false;
    while (!isRefusing || isDraining && turns.peek() != null) {
      isRefusing = inbox.isRefusing();
      accepting = inbox.empty();
      shelf.tick(); // now, so that no call is older than its time
      accept();
      Turns.Group oldest = turns.peek();
      long wait = oldest == null ? Long.MAX_VALUE : patience(oldest);
      if (wait <= 0) {
        step();
      } else if (!isRefusing) {
        inbox.await(Math.min(wait, shelf.mostNanos()));
      }
      shelf.sweep();
      models.releaseUnused();
    }
  }

  /** The version with which sessions begin at present, for all threads. */
  Version newest() {
    return newest;
  }

  private void putAll() {
    try {
      shelf.putAll();
    } catch (RuntimeException e) {
      unstored = e; // for whoever drains
    }
  }

  /** Why sessions did not go to the store when they were drained; nothing where they did. */
  @Nullable RuntimeException unstored() {
    return unstored;
  }

  /** The nanoseconds for which a batch waits for more sessions. */
  private long patience(Turns.Group oldest) {
    boolean isNow =
        batching.longestWaitMicros() == 0 || oldest.size() >= steps.length || inbox.isRefusing();
    return isNow ? 0 : turns.due(batching.longestWaitMicros()) - System.nanoTime();
  }

  /** Has {@link #run} end: after what waits was answered, or at once. */
  void end(boolean isDraining) {
    this.isDraining = isDraining;
    inbox.refuse();
  }

  /** Refuses all that wait, and all that come. */
  private void refuseAll(@Nullable Throwable cause) {
    Waiting sent = inbox.end(cause);
    for (Waiting first : Arrays.asList(accepting, sent)) {
      for (Waiting call = first; call != null; call = call.below) {
        call.completeExceptionally(inbox.closed());
      }
    }
    tickets.forEach(call -> call.completeExceptionally(inbox.closed()));
    inbox.taken(inbox.waiting());
  }

  // Calls.

  /** Begins the calls that came out of the inbox. */
  private void accept() {
    look();
    while (accepting != null) {
      Waiting call = accepting;
      accept1(call);
      accepting = call.below;
      call.below = null;
    }
  }

  /**
   * Has what a search for the sessions will read come into the caches: these loads depend on
   * nothing and are under way at the same time, those of one search wait for each other.
   */
  private void look() {
    for (Waiting call = accepting; call != null; call = call.below) {
      call.row = table.guess(call.hash);
    }
    int seen = 0;
    for (Waiting call = accepting; call != null; call = call.below) {
      seen += call.row == Table.NONE ? 0 : table.version(call.row);
    }
    looked = seen;
  }

  /** Does a call whose session has none that waits, or has it wait for those. */
  private void accept1(Waiting call) {
    if (!call.isOfSession()) {
      call.row = Table.NONE;
      begin(call);
      return;
    }
    int row;
    try {
      row = others.row(call);
    } catch (RuntimeException e) { // it is not open, the store fails, or there is no memory
      inbox.taken(1);
      refuse(call, e);
      return;
    }
    call.row = row;
    int last = table.lastWaiting(row);
    table.lastWaiting(row, tickets.take(call) + 1);
    if (last == 0) {
      begin(call);
    } else {
      tickets.at(last - 1).after = call;
    }
  }

  /** Begins a call whose turn in its session has come, and those behind it that are no steps. */
  private void begin(@Nullable Waiting first) {
    Waiting call = first;
    while (call != null && call.kind != Waiting.Kind.STEP) {
      inbox.taken(1);
      float[] answer = {};
      Throwable thrown = null;
      try {
        answer = others.done((TableCall) call);
        newest = models.newest();
        if (call.kind == Waiting.Kind.COUNT) {
          tally.count(table, shelf);
        }
      } catch (RuntimeException | Error e) {
        thrown = e;
      }
      Waiting next = end(call, thrown == null);
      if (thrown == null) {
        call.complete(answer);
      } else {
        refuse(call, thrown);
      }
      call = next;
    }
    if (call != null) {
      turns.add(call, models.number(call));
    }
  }

  /** Ends a call, and returns the one behind it in its session. */
  private @Nullable Waiting end(Waiting call, boolean isAnswered) {
    if (!call.isOfSession()) {
      return null;
    }
    if (call.isLast(isAnswered, table.isFailed(call.row))) {
      return close(call);
    }
    tickets.giveBack(call.ticket);
    if (call.after == null) {
      table.lastWaiting(call.row, 0);
    }
    return call.after;
  }

  /** Closes a session. Those that wait behind it find that it is not there, or restore it. */
  private @Nullable Waiting close(Waiting call) {
    tickets.giveBack(call.ticket);
    table.close(call.row);
    Waiting behind = call.after;
    while (behind != null) {
      Waiting next = behind.after;
      behind.after = null;
      tickets.giveBack(behind.ticket);
      accept1(behind);
      behind = next;
    }
    return null;
  }

  private void refuse(Waiting call, Throwable thrown) {
    tally.refused++;
    call.completeExceptionally(thrown);
  }

  // Steps.

  /** Steps sessions of the oldest turns. */
  private void step() {
    Turns.Group group = turns.take();
    int taken = 0;
    int count = 0;
    long now = System.nanoTime();
    Version version = models.at(group.version()); // those that move while they wait move together
    for (int left = group.size(); left > 0 && count < steps.length; left--) {
      Waiting step = group.next();
      if (!step.isFirst() && models.of(step.row) != version) { // a file gave its session another
        turns.add(step, models.number(step));
        continue;
      }
      taken++;
      if (isStepped(step, now, version)) {
        distributions.waits().add((now - step.sent) / 1000);
        steps[count++] = step;
      } else {
        begin(end(step, !step.isCompletedExceptionally()));
      }
    }
    turns.giveBack(group);
    inbox.taken(taken);
    if (count > 0) {
      run(version.batch, steps, count);
      Arrays.fill(steps, 0, count, null);
    }
  }

  /** Whether a step is to be computed; otherwise it has been answered. */
  private boolean isStepped(Waiting step, long now, Version version) {
    Request request = step.request;
    boolean isFirst = step.isFirst();
    long last = isFirst ? -1 : table.number(step.row);
    if (step.isDone()) { // whoever sent it has cancelled it
      tally.refused++;
    } else if (step.isLate(now)) {
      refuse(step, Refusals.late(step, now));
    } else if (request.version > 0 && request.version != version.number()) {
      refuse(step, Refusals.version(step, version.number()));
    } else if (request.number >= 0 && request.number <= last) {
      again(step, last);
    } else if (!isFirst && table.isFailed(step.row)) {
      refuse(
          step, Refusals.failed(step.id, "an earlier step of it met a value that is not a number"));
    } else {
      if (isFirst && step.row != Table.NONE) {
        models.begin(step.row, version);
      }
      if (request.notNumber < 0) {
        return true;
      }
      fail(step, "x[%d] is not a number".formatted(request.notNumber));
    }
    return false;
  }

  /** Gives the answer of the last step again. */
  private void again(Waiting step, long last) {
    float[] answer = table.answer(step.row);
    if (step.request.number < last || answer == null) {
      refuse(step, Refusals.passed(step, last));
      return;
    }
    tally.repeated++;
    step.answerRows = table.answerRows(step.row);
    step.complete(answer);
  }

  private void fail(Waiting step, String what) {
    if (step.row != Table.NONE) {
      table.failed(step.row, true);
      tally.failed++;
    }
    refuse(step, Refusals.failed(step.id, what));
  }

  /**
   * Steps sessions as one batch. Where the model throws, each by itself: the one that it refuses is
   * refused alone.
   */
  private void run(Batch batch, Waiting[] of, int count) {
    try {
      batch.run(table, of, count);
    } catch (RuntimeException | Error e) {
      if (count == 1) {
        begin(end(of[0], false));
        refuse(of[0], e);
      } else {
        for (int j = 0; j < count; j++) {
          run(batch, new Waiting[] {of[j]}, 1);
        }
      }
      return;
    }
    tally.batches++;
    tally.requests += count;
    distributions.batches().add(count);
    for (int j = 0; j < count; j++) {
      keep(of[j], batch.answer(j), batch.answerRows());
    }
    for (int j = 0; j < count; j++) {
      begin(end(of[j], batch.answer(j) != null));
    }
    for (int j = count - 1; j >= 0; j--) { // who waits for several in order wakes once
      float[] answer = batch.answer(j);
      if (answer != null) {
        of[j].complete(answer);
      }
    }
  }

  private void keep(Waiting step, float @Nullable [] answer, int answerRows) {
    if (answer == null) {
      fail(step, "the step gave a value that is not a number");
      return;
    }
    step.answerRows = answerRows;
    if (step.request.number >= 0 && step.row != Table.NONE) {
      try {
        table.keep(step.row, step.request.number, step.answerRows, answer);
      } catch (DeviceException e) {
        // The session has stepped, so that the answer is right. It cannot be given again.
      }
    }
  }

  Distributions distributions() {
    return distributions;
  }

  /** What was done until it was counted last. */
  Counts counts() {
    return tally.counts(inbox);
  }
}
