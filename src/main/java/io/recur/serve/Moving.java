package io.recur.serve;

/**
 * When sessions move to a model that replaces theirs, see {@link Versions#replace}.
 *
 * <pre>{@code
 * sessions.versions().replace(retrained, Moving.AT_ONCE);
 * }</pre>
 */
public enum Moving {
  /**
   * Each session takes its state along: its next step is one of the new model. The new model must
   * have the states of the old one: the same Recurs of the same sizes, such as after more training.
   */
  AT_ONCE,

  /**
   * Each session stays with its model until it is reset or gets another state by {@code restore},
   * and begins with the new one then. The new model's states may differ.
   */
  AT_RESET
}
