package io.recur.device.cpu;

/** What an instruction of the C interpreter does, in the order of {@code native/recur.h}. */
enum Opcode {
  CLEAR,
  CONSTANT,
  COPY,
  LOAD,
  LOAD_ROW,
  STORE,
  TAKE,
  GIVE,
  KEEP,
  LOAD_VECTOR,
  LOAD_SCALAR,
  PRODUCT,
  EXPECT,
  GATHER,
  SCATTER,
  MAP,
  DERIVATIVE,
  DERIVATIVE_OF_PRODUCT,
  AFFINE,
  COMBINE,
  FUSED,
  REDUCE,
  REDUCED,
  DROP,
  SPREAD;

  /** Added to the function of an instruction on rows, {@code RECUR_ROW}. */
  static final int ROW = 32;

  /** The function of a product whose sums begin with a vector or 0. */
  static final int BEGIN = 1;

  /** The function of {@link #LOAD_VECTOR} into the place of a vector. */
  static final int IN_PLACE = 1;

  /** The functions of {@link #KEEP} that add to what a panel holds of some steps. */
  static final int SUM = 1;

  static final int SUM_OF_PRODUCT = 2;

  /** Whether it works on all columns of a tile at once, not on some after the others. */
  boolean isWhole() {
    return this == PRODUCT || this == EXPECT;
  }
}
