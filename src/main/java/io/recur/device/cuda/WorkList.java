package io.recur.device.cuda;

import java.util.Arrays;

/**
 * Operations in the order in which they will run, encoded as words: two lists with the same words
 * do the same work. A list grows to its longest length and allocates nothing after that.
 */
final class WorkList {
  // The first word of an operation: its kind, then its details in a byte or more each.
  private static final int KERNEL = 0;
  private static final int PRODUCT = 1;
  private static final int COPY = 2;
  private static final int KIND_MASK = 0xFF;
  private static final int FIRST_SHIFT = 8;
  private static final int SECOND_SHIFT = 24;
  private static final int THIRD_SHIFT = 40;
  private static final int FIELD_MASK = 0xFFFF;

  /** The words per operation of each kind; for a kernel, those without its arguments. */
  private static final int KERNEL_WORDS = 2;

  private static final int PRODUCT_WORDS = 8;
  private static final int COPY_WORDS = 4;

  private static final long HASH_FACTOR = 0x9E3779B97F4A7C15L;

  /** What is read now. */
  private final Product product = new Product();

  private long[] words = new long[1 << 12];
  private int length;
  private int operations;

  /** Receives the operations of a list. */
  interface Reader {
    void kernel(int kernel, int blocks, int threads, long[] words, int at, int arguments);

    void product(Product product);

    void copy(long from, long target, long count);
  }

  void kernel(Launch launch, int blocks, int threads) {
    int count = launch.count;
    int at = reserve(KERNEL_WORDS + count);
    words[at] = KERNEL | (long) count << SECOND_SHIFT | (long) threads << THIRD_SHIFT;
    words[at + 1] = pair(blocks, launch.kernel());
    System.arraycopy(launch.arguments, 0, words, at + KERNEL_WORDS, count);
  }

  void product(Product product) {
    int at = reserve(PRODUCT_WORDS);
    words[at] =
        PRODUCT
            | (product.transposeA ? 1L : 0L) << FIRST_SHIFT
            | (product.transposeB ? 1L : 0L) << SECOND_SHIFT;
    words[at + 1] = pair(product.m, product.n);
    words[at + 2] = pair(product.k, Float.floatToRawIntBits(product.alpha));
    words[at + 3] = pair(product.lda, product.ldb);
    words[at + 4] = pair(product.ldc, Float.floatToRawIntBits(product.beta));
    words[at + 5] = product.a;
    words[at + 6] = product.b;
    words[at + 7] = product.c;
  }

  private static long pair(int low, int high) {
    return (long) high << Integer.SIZE | low & 0xFFFFFFFFL;
  }

  private static int high(long pair) {
    return (int) (pair >> Integer.SIZE);
  }

  void copy(long from, long target, long count) {
    int at = reserve(COPY_WORDS);
    words[at] = COPY;
    words[at + 1] = from;
    words[at + 2] = target;
    words[at + 3] = count;
  }

  private int reserve(int count) {
    int at = length;
    if (at + count > words.length) {
      words = Arrays.copyOf(words, 2 * words.length);
    }
    length += count;
    operations++;
    return at;
  }

  int operations() {
    return operations;
  }

  void clear() {
    length = 0;
    operations = 0;
  }

  void read(Reader reader) {
    int at = 0;
    while (at < length) {
      long head = words[at];
      switch ((int) head & KIND_MASK) {
        case KERNEL -> {
          int arguments = (int) (head >> SECOND_SHIFT) & FIELD_MASK;
          int threads = (int) (head >> THIRD_SHIFT) & FIELD_MASK;
          int kernel = high(words[at + 1]);
          int blocks = (int) words[at + 1];
          reader.kernel(kernel, blocks, threads, words, at + KERNEL_WORDS, arguments);
          at += KERNEL_WORDS + arguments;
        }
        case PRODUCT -> {
          reader.product(product(head, at));
          at += PRODUCT_WORDS;
        }
        default -> {
          reader.copy(words[at + 1], words[at + 2], words[at + 3]);
          at += COPY_WORDS;
        }
      }
    }
  }

  private Product product(long head, int at) {
    product.transposeA = (head >> FIRST_SHIFT & 1) != 0;
    product.transposeB = (head >> SECOND_SHIFT & 1) != 0;
    product.m = (int) words[at + 1];
    product.n = high(words[at + 1]);
    product.k = (int) words[at + 2];
    product.alpha = Float.intBitsToFloat(high(words[at + 2]));
    product.lda = (int) words[at + 3];
    product.ldb = high(words[at + 3]);
    product.ldc = (int) words[at + 4];
    product.beta = Float.intBitsToFloat(high(words[at + 4]));
    product.a = words[at + 5];
    product.b = words[at + 6];
    product.c = words[at + 7];
    return product;
  }

  /** {@return a hash that is the same for equal lists} */
  long hash() {
    long hash = length;
    for (int i = 0; i < length; i++) {
      hash = (hash ^ words[i]) * HASH_FACTOR;
      hash ^= hash >>> Integer.SIZE;
    }
    return hash;
  }

  /** {@return a copy of the words, to compare with later lists} */
  long[] words() {
    return Arrays.copyOf(words, length);
  }

  boolean is(long[] others) {
    return Arrays.equals(words, 0, length, others, 0, others.length);
  }
}
