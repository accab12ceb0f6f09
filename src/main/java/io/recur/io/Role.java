package io.recur.io;

import java.util.regex.Pattern;

/**
 * The role of a tensor in a file. The tensor's name gives it.
 *
 * <pre>{@code
 * boolean isWeight = Role.of("0.Wi") == Role.PARAMETER;
 * }</pre>
 */
public enum Role {
  /** A parameter, under its name in {@link io.recur.nn.Parameters#named}. */
  PARAMETER,
  /** {@code state.R.P}: part P of the state of Recur R. */
  STATE,
  /** {@code optimiser.N}: slot N of an optimiser's memory. */
  OPTIMISER,
  /** {@code fit.best.NAME} and {@code fit.average.NAME}: copies of parameter NAME. */
  COPY;

  private static final String NUMBER = "(0|[1-9]\\d{0,8})";
  private static final Pattern STATES = Pattern.compile("state\\." + NUMBER + "\\." + NUMBER);
  private static final Pattern SLOTS = Pattern.compile("optimiser\\." + NUMBER);
  private static final Pattern COPIES =
      Pattern.compile("fit\\.(best|average)\\..+", Pattern.DOTALL);

  /**
   * Finds the role of a tensor.
   *
   * @param name the tensor's name
   * @return STATE, OPTIMISER or COPY for a name of exactly that form, PARAMETER for any other
   */
  public static Role of(String name) {
    return STATES.matcher(name).matches()
        ? STATE
        : SLOTS.matcher(name).matches()
            ? OPTIMISER
            : COPIES.matcher(name).matches() ? COPY : PARAMETER;
  }
}
