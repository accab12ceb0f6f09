package io.recur.serve;

import io.recur.device.Device;
import io.recur.nn.Layer;
import io.recur.nn.Snapshot;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;

/**
 * A state of a model for each of many sessions: users, streams, keys. Requests of any threads are
 * stepped together, as many as wait, and each session gets the answers that a fork of the model of
 * its own gives: the bits of an answer do not depend on who shares its batch, on the kernels in C
 * and in Java.
 *
 * <p>An id is a number or a text of 1 to 64 bytes of UTF-8. States, ids and the index lie in native
 * memory: no Java object belongs to a session. One thread, which this object starts, steps the
 * model and touches that memory; callers wait for it. They may be platform threads or virtual ones.
 *
 * <ul>
 *   <li>Calls for one session are done in the order in which they are sent. Sessions do not wait
 *       for each other but to share a batch.
 *   <li>A call that is refused throws a {@link SessionException}, or what the model throws for its
 *       input, to its caller alone. A session whose step meets a value that is not a number keeps
 *       the state that it had, and refuses steps until it is reset or restored.
 *   <li>{@link Batching} bounds batches and queue. Nothing needs to be set.
 * </ul>
 *
 * <pre>{@code
 * try (Sessions sessions = Sessions.open(model, device)) {
 *   sessions.open(7, 8);
 *   float[] scores = sessions.step(7, 0.1f, 0.2f, 0.3f);
 *   CompletableFuture<float[]> later = sessions.stepAsync(8, Request.of(1, 2, 3));
 *   byte[] state = sessions.save(7);
 *   sessions.restore("another machine's", state);
 *   later.join();
 * }
 * }</pre>
 *
 * <p>The model's weights are shared and must not change meanwhile; {@link #versions} replaces it.
 */
public final class Sessions implements AutoCloseable {
  private final Calls calls;

  private Sessions(Calls calls) {
    this.calls = calls;
  }

  /**
   * Opens sessions for a model, with batches that follow the load.
   *
   * @param model on the device, with independent columns and one Recur or more, nested as one likes
   * @param device of the model
   * @return to be closed by the caller
   * @throws IllegalArgumentException if a column of the model may depend on others, if it has no
   *     Recur or one without state0, or if it is on another device
   * @throws IllegalStateException if the model has no memory yet or is in use, or the device is
   *     closed
   */
  public static Sessions open(Layer model, Device device) {
    return open(model, device, Batching.ADAPTIVE);
  }

  /**
   * {@link #open(Layer, Device)} with bounds.
   *
   * @param model on the device, with independent columns and one Recur or more, nested as one likes
   * @param device of the model
   * @param batching bounds of batches and queue
   * @return to be closed by the caller
   */
  public static Sessions open(Layer model, Device device, Batching batching) {
    return new Sessions(new Calls(model, device, batching, null));
  }

  /**
   * Opens sessions for a model. Those that are idle leave memory for a store, and come back at the
   * next call for them. {@link #drain} moves all others there, {@link #close} does not. Sessions of
   * one model at a time use a store.
   *
   * @param model as {@link #open(Layer, Device)} takes it
   * @param device of the model
   * @param batching bounds of batches and queue
   * @param idle when sessions leave, and for which store
   * @return to be closed by the caller, before the store
   */
  public static Sessions open(Layer model, Device device, Batching batching, Idle idle) {
    Objects.requireNonNull(idle, "idle");
    return new Sessions(new Calls(model, device, batching, idle));
  }

  // Sessions come and go.

  /**
   * Opens sessions: each begins from the state0 that the newest model had when it was given to this
   * object. Nothing is stepped meanwhile: some thousand ids per call are a millisecond.
   *
   * @param ids of sessions that are not open
   * @throws SessionException if one is open, or two are equal; none has then been opened
   * @throws io.recur.device.DeviceException if there is no memory; none has then been opened
   */
  public void open(long... ids) {
    calls.open(Arrays.stream(ids).mapToObj(Id::of).toArray(Id[]::new));
  }

  /**
   * {@link #open(long...)} with texts as ids.
   *
   * @param ids each of 1 to 64 bytes
   * @throws IllegalArgumentException if one is longer or empty; none has then been opened
   */
  public void open(String... ids) {
    calls.open(Arrays.stream(ids).map(Id::of).toArray(Id[]::new));
  }

  /**
   * {@return whether a session is open}
   *
   * @param id of a session
   */
  public boolean isOpen(long id) {
    return calls.answer(new TableCall(Waiting.Kind.IS_OPEN, Id.of(id))).length > 0;
  }

  /**
   * {@return whether a session is open}
   *
   * @param id of a session
   */
  public boolean isOpen(String id) {
    return calls.answer(new TableCall(Waiting.Kind.IS_OPEN, Id.of(id))).length > 0;
  }

  /**
   * Closes a session, after the calls for it that were sent before: its memory serves others.
   *
   * @param id of a session
   * @throws SessionException if it is not open
   */
  public void close(long id) {
    calls.answer(new TableCall(Waiting.Kind.CLOSE, Id.of(id)));
  }

  /**
   * {@link #close(long)} with a text as id.
   *
   * @param id of a session
   */
  public void close(String id) {
    calls.answer(new TableCall(Waiting.Kind.CLOSE, Id.of(id)));
  }

  // Steps.

  /**
   * Steps a session once and waits for the answer.
   *
   * @param id of a session
   * @param x as many values as the model takes, copied
   * @return the model's output
   * @throws SessionException if the session is not open or has failed, or the queue is full
   * @throws io.recur.grad.ShapeException if the model refuses x
   */
  public float[] step(long id, float... x) {
    return calls.answer(Waiting.step(Id.of(id), Request.of(x)));
  }

  /**
   * {@link #step(long, float...)} with a text as id.
   *
   * @param id of a session
   * @param x as many values as the model takes, copied
   * @return the model's output
   */
  public float[] step(String id, float... x) {
    return calls.answer(Waiting.step(Id.of(id), Request.of(x)));
  }

  /**
   * Steps a session through a sequence, in one call of the model, and waits for the answers.
   *
   * @param id of a session
   * @param sequence {@code float[time][features]}, copied
   * @return {@code float[time][outputs]}
   * @throws SessionException if the session is not open or has failed, or the queue is full
   * @throws io.recur.grad.ShapeException if the steps differ in size, or the model refuses them
   */
  public float[][] step(long id, float[][] sequence) {
    return calls.answers(Waiting.step(Id.of(id), Request.of(sequence)));
  }

  /**
   * {@link #step(long, float[][])} with a text as id.
   *
   * @param id of a session
   * @param sequence {@code float[time][features]}, copied
   * @return {@code float[time][outputs]}
   */
  public float[][] step(String id, float[][] sequence) {
    return calls.answers(Waiting.step(Id.of(id), Request.of(sequence)));
  }

  /**
   * Sends a request and waits for the answer.
   *
   * @param id of a session
   * @param request one step or a sequence, dense or one-hot, with a number or a deadline
   * @return the model's output, step after step
   * @throws SessionException if it is not served, with the reason
   * @throws io.recur.grad.ShapeException if the model refuses it
   */
  public float[] step(long id, Request request) {
    return calls.answer(Waiting.step(Id.of(id), request));
  }

  /**
   * {@link #step(long, Request)} with a text as id.
   *
   * @param id of a session
   * @param request one step or a sequence
   * @return the model's output, step after step
   */
  public float[] step(String id, Request request) {
    return calls.answer(Waiting.step(Id.of(id), request));
  }

  /**
   * Sends a request and returns at once. What depends on the result runs on the stepping thread,
   * unless a method such as {@code thenApplyAsync} makes it, and must not wait for a call of this
   * object. A request that is cancelled before its turn does not step.
   *
   * @param id of a session
   * @param request one step or a sequence, dense or one-hot, with a number or a deadline
   * @return gets the model's output, step after step, or the exception that {@link #step(long,
   *     Request)} throws
   */
  public CompletableFuture<float[]> stepAsync(long id, Request request) {
    return calls.send(Waiting.step(Id.of(id), request));
  }

  /**
   * {@link #stepAsync(long, Request)} with a text as id.
   *
   * @param id of a session
   * @param request one step or a sequence
   * @return gets the model's output
   */
  public CompletableFuture<float[]> stepAsync(String id, Request request) {
    return calls.send(Waiting.step(Id.of(id), request));
  }

  /**
   * Steps the initial state of the newest model without a session, and waits for the answer.
   *
   * @param request one step or a sequence; its number has no meaning
   * @return the model's output, step after step
   * @throws SessionException as {@link #step(long, Request)} does
   */
  public float[] stepOnce(Request request) {
    return calls.answer(Waiting.stepOnce(request));
  }

  /**
   * {@link #stepOnce(Request)} that returns at once, as {@link #stepAsync(long, Request)} does.
   *
   * @param request one step or a sequence
   * @return gets the model's output
   */
  public CompletableFuture<float[]> stepOnceAsync(Request request) {
    return calls.send(Waiting.stepOnce(request));
  }

  /**
   * The state of a session as bytes of a {@link Snapshot}, which forks and twins of the model
   * restore. The state of a session that has failed is the one before the step that failed.
   *
   * @param id of a session
   * @return the state after the calls for it that were sent before
   * @throws SessionException if it is not open
   */
  public byte[] save(long id) {
    return calls.save(Id.of(id));
  }

  /**
   * {@link #save(long)} with a text as id.
   *
   * @param id of a session
   * @return the state
   */
  public byte[] save(String id) {
    return calls.save(Id.of(id));
  }

  /**
   * Gives a session the newest model and a state of it, and opens it where it is not open. It
   * forgets the number of its last step, and has no longer failed.
   *
   * @param id of a session
   * @param state bytes of {@link #save(long)}, or of {@code model.save().toBytes()} of one column
   * @throws io.recur.grad.ShapeException if it is the state of another model; nothing has changed
   * @throws IllegalArgumentException if the bytes are damaged; nothing has changed
   */
  public void restore(long id, byte[] state) {
    calls.restore(Id.of(id), state);
  }

  /**
   * {@link #restore(long, byte[])} with a text as id.
   *
   * @param id of a session
   * @param state bytes of {@link #save(long)}
   */
  public void restore(String id, byte[] state) {
    calls.restore(Id.of(id), state);
  }

  /**
   * Opens another session with the state and the model of a session.
   *
   * @param id of a session
   * @param other an id that is not open
   * @throws SessionException if the first is not open, or the other is
   */
  public void fork(long id, long other) {
    calls.fork(Id.of(id), Id.of(other));
  }

  /**
   * {@link #fork(long, long)} with texts as ids.
   *
   * @param id of a session
   * @param other an id that is not open
   */
  public void fork(String id, String other) {
    calls.fork(Id.of(id), Id.of(other));
  }

  /**
   * Gives a session the newest model and its initial state. It forgets the number of its last step,
   * and has no longer failed.
   *
   * @param id of a session
   * @throws SessionException if it is not open
   */
  public void reset(long id) {
    calls.answer(new TableCall(Waiting.Kind.RESET, Id.of(id)));
  }

  /**
   * {@link #reset(long)} with a text as id.
   *
   * @param id of a session
   */
  public void reset(String id) {
    calls.answer(new TableCall(Waiting.Kind.RESET, Id.of(id)));
  }

  Calls calls() {
    return calls;
  }

  /** {@return the models that sessions are stepped by, to replace them} */
  public Versions versions() {
    return new Versions(calls);
  }

  /** {@return what was done since this object was opened} */
  public Counts counts() {
    return calls.counts();
  }

  /**
   * Refuses new calls, answers those that wait, moves all sessions to the store where there is one,
   * and then closes.
   *
   * @throws java.io.UncheckedIOException if the store takes no more; what did not go there is lost.
   *     Another exception of the store comes as it is.
   * @throws IllegalStateException if the calling thread is the stepping thread
   */
  public void drain() {
    calls.drain();
  }

  /**
   * Ends all sessions and gives their memory back. Calls that wait are refused and do not step. A
   * second call does nothing.
   */
  @Override
  public void close() {
    calls.end();
  }

  @Override
  public String toString() {
    return "Sessions(%s)".formatted(calls.newest().label());
  }
}
