package io.recur.device.cuda;

import java.util.Locale;

/** The kernels of {@code native/cuda/}, file by file. */
enum Kernel {
  // pointwise.cu
  FILL,
  COPY,
  AFFINE,
  CLAMP,
  ADD_CLAMP_DERIVATIVE,
  COMBINE,
  MULTIPLY,
  ADD_PRODUCT,
  ADD_BROADCAST,
  MAP,
  ADD_DERIVATIVE,
  DROP,

  // binary.cu
  BINARY,
  BINARY_DERIVATIVE,

  // sums.cu
  SUM,
  TOTAL,
  SUM_INTO,
  ADD_PARTS,

  // columns.cu
  CHECK_INDEXES,
  ADD_COLUMN,
  ADD_COLUMN_SUM,
  BLOCK,
  GATHER,
  SCATTER_ADD,

  // softmax.cu
  SOFTMAX,
  ADD_SOFTMAX_DERIVATIVE,
  CROSS_ENTROPY,
  ADD_CROSS_ENTROPY_DERIVATIVE,

  // reductions.cu
  REDUCE_ROWS,
  ADD_ROWS_DERIVATIVE,
  REDUCE_COLUMNS,
  ADD_COLUMNS_DERIVATIVE,

  // bands.cu
  BAND_MULTIPLY,
  BAND_MULTIPLY_TRANSPOSED,
  ADD_BAND_GRADIENT,

  // updates.cu
  UPDATE,
  CLIP_NORM;

  private final String symbol = "recur_" + name().toLowerCase(Locale.ROOT);

  /** {@return the name of the C function} */
  String symbol() {
    return symbol;
  }
}
