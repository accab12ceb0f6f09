package io.recur.serve;

import io.recur.nn.Layer;
import java.util.List;
import java.util.Objects;

/**
 * The models that sessions are stepped by: at first the one that they were opened for, then also
 * those that replace it while sessions are served. A session that is opened or reset begins with
 * the newest; {@link Moving} says what becomes of the others. A model that no session has any more
 * is released: its memory for batches at once, its weights when nobody refers to it. {@link #keep}
 * has two models serve side by side.
 *
 * <pre>{@code
 * Versions versions = sessions.versions();
 * int number = versions.replace(retrained, Moving.AT_ONCE);   // the same states, other weights
 * versions.replace(larger, Moving.AT_RESET);                  // other states: for new sessions
 * List<ModelVersion> all = versions.all();                    // with the sessions of each
 * }</pre>
 *
 * <p>The weights of a model must not change while it is served: load a copy and replace it.
 */
public final class Versions {
  private final Calls calls;

  Versions(Calls calls) {
    this.calls = calls;
  }

  /**
   * Replaces the model. Requests that were sent before are stepped by the model that their session
   * has at their turn; none waits longer or is lost.
   *
   * @param model on the device of the sessions, with independent columns, one Recur or more and a
   *     state0 of one column; its weights are shared and must not change meanwhile
   * @param moving when the sessions of other models move to it
   * @return the number of its version
   * @throws io.recur.grad.ShapeException if sessions shall move at once and the state of a model
   *     that has some does not fit; the model is then not replaced
   * @throws IllegalArgumentException if a column of the model may depend on others, if it has no
   *     Recur or one without state0, or if it is on another device
   * @throws IllegalStateException if 256 models have sessions
   * @throws SessionException if the sessions are closed
   */
  public int replace(Layer model, Moving moving) {
    Objects.requireNonNull(moving, "moving");
    Version version = new Version(calls.batch(model));
    TableCall call = new TableCall(Waiting.Kind.REPLACE, Id.of(0));
    call.version = version;
    call.moving = moving;
    try {
      calls.answer(call);
    } catch (RuntimeException | Error e) {
      version.close(); // nobody else has seen it
      throw e;
    }
    return version.number();
  }

  /**
   * Keeps a version that no session has any more, so that sessions may start with it by {@link
   * Request#ofVersion}: until {@link #release}, or until all sessions move from it at once.
   *
   * @param number of a version that serves
   * @throws IllegalArgumentException if it does not serve, or no longer
   */
  public void keep(int number) {
    keep(number, true);
  }

  /**
   * Keeps a version no longer than sessions have it, or it is the newest.
   *
   * @param number of a version that serves
   * @throws IllegalArgumentException if it does not serve, or no longer
   */
  public void release(int number) {
    keep(number, false);
  }

  private void keep(int number, boolean isKept) {
    TableCall call = new TableCall(Waiting.Kind.KEEP, Id.of(0));
    call.number = number;
    call.isKept = isKept;
    calls.answer(call);
  }

  /** {@return the models that have sessions or are kept, and the newest, which is the last} */
  public List<ModelVersion> all() {
    TableCall call = new TableCall(Waiting.Kind.VERSIONS, Id.of(0));
    calls.answer(call);
    return call.versions;
  }

  /**
   * The version that a session is stepped by.
   *
   * @param id of a session
   * @return the number of its version
   * @throws SessionException if it is not open
   */
  public int of(long id) {
    return of(Id.of(id));
  }

  /**
   * {@link #of(long)} with a text as id.
   *
   * @param id of a session
   * @return the number of its version
   */
  public int of(String id) {
    return of(Id.of(id));
  }

  private int of(Id id) {
    TableCall call = new TableCall(Waiting.Kind.VERSION, id);
    calls.answer(call);
    return call.version.number();
  }

  @Override
  public String toString() {
    return "Versions(newest %d)".formatted(calls.newest().number());
  }
}
