package io.recur.device.cuda;

import java.util.ArrayList;
import java.util.List;

/** Collects the names of the operations of a list. */
final class Names implements WorkList.Reader {
  private final List<String> names = new ArrayList<>();

  Names(WorkList list) {
    list.read(this);
  }

  List<String> names() {
    return names;
  }

  @Override
  public void kernel(Kernel kernel, int blocks, int threads, long[] words, int at, int arguments) {
    names.add(kernel.symbol());
  }

  @Override
  public void product(
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      float alpha,
      long a,
      int lda,
      long b,
      int ldb,
      float beta,
      long c,
      int ldc) {
    names.add("product %d×%d×%d".formatted(m, n, k));
  }

  @Override
  public void fill(int bits, long target, long count) {
    names.add("fill of " + count);
  }

  @Override
  public void copy(long from, long target, long count) {
    names.add("copy of " + count);
  }
}
