package io.recur.io;

import java.util.regex.Pattern;

/**
 * What a tensor of a file is for, by its name.
 *
 * <pre>{@code
 * boolean isWeight = Role.of("0.Wi") == Role.PARAMETER;
 * }</pre>
 */
public enum Role {
  /** A parameter, by its name in {@link io.recur.nn.Parameters#named}. */
  PARAMETER,
  /** {@code state.R.P}: part P of the state of Recur R. */
  STATE,
  /** {@code optimiser.N}: an optimiser's memory, slot N. */
  OPTIMISER;

  private static final String NUMBER = "(0|[1-9]\\d{0,8})";
  private static final Pattern STATES = Pattern.compile("state\\." + NUMBER + "\\." + NUMBER);
  private static final Pattern SLOTS = Pattern.compile("optimiser\\." + NUMBER);

  /**
   * The role of a tensor.
   *
   * @param name of the tensor
   * @return state and optimiser for names of exactly their forms, parameter for all others
   */
  public static Role of(String name) {
    return STATES.matcher(name).matches()
        ? STATE
        : SLOTS.matcher(name).matches() ? OPTIMISER : PARAMETER;
  }
}
