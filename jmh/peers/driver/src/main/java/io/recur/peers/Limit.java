package io.recur.peers;

/**
 * The least time in which the machine could compute a row, measured between the row's own turns.
 *
 * @param ms the longer of its multiply-adds and of reading its weights; NaN where not measured
 * @param by what takes that long: multiply-adds, L1, L2, L3 or memory
 */
record Limit(double ms, String by) {
  static final String MULTIPLY_ADDS = "multiply-adds";

  static final Limit NONE = new Limit(Double.NaN, "");

  /** The share of the limit's rate that a time reaches, or NaN. */
  double share(double oursMs) {
    return ms / oursMs;
  }

  /** The share in words: a row that reading limits names what it reads from. */
  String words(double oursMs) {
    if (Double.isNaN(share(oursMs))) {
      return "";
    }
    return Table.format("%.0f %%", 100 * share(oursMs))
        + (by.equals(MULTIPLY_ADDS) ? "" : " of " + by);
  }
}
