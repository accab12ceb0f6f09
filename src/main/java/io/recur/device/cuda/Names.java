package io.recur.device.cuda;

import java.util.ArrayList;
import java.util.List;

/** Collects the names of the operations of a list. */
final class Names implements WorkList.Reader {
  private static final int MOST_NAMES = 6;

  private final List<String> names = new ArrayList<>();
  private final Program program;

  private Names(Program program) {
    this.program = program;
  }

  /** What a list does, for errors: the first and the last operations by name. */
  static String of(WorkList list, Program program) {
    Names reader = new Names(program);
    list.read(reader);
    List<String> names = reader.names;
    return names.size() <= MOST_NAMES
        ? String.join(", ", names)
        : "%d operations, %s … %s"
            .formatted(
                names.size(), String.join(", ", names.subList(0, MOST_NAMES - 1)), names.getLast());
  }

  @Override
  public void kernel(int kernel, int blocks, int threads, long[] words, int at, int arguments) {
    names.add(program.symbol(kernel));
  }

  @Override
  public void product(Product product) {
    names.add("product %d×%d×%d".formatted(product.m, product.n, product.k));
  }

  @Override
  public void copy(long from, long target, long count) {
    names.add("copy of " + count);
  }
}
