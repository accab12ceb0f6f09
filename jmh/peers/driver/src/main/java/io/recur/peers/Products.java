package io.recur.peers;

import java.util.Locale;

/** How matrices are multiplied, and how far answers may be from ours in float32. */
enum Products {
  FLOAT32(Answers.FLOAT32),
  TF32(new Answers.Tolerance(5e-3, 2e-2)),
  BF16(new Answers.Tolerance(3e-2, 1e-1)),
  /** PyTorch's alone; held against our bf16. */
  FP16(new Answers.Tolerance(1e-2, 5e-2));

  final Answers.Tolerance tolerance;

  Products(Answers.Tolerance tolerance) {
    this.tolerance = tolerance;
  }

  boolean isOurs() {
    return this != FP16;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
