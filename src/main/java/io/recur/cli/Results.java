package io.recur.cli;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Standard output. It keeps the failure of a write. A reader that closes its pipe, as {@code head}
 * does, is not a failure; a full disk is.
 */
final class Results extends FilterOutputStream {
  private volatile @Nullable IOException failure;

  Results(OutputStream out) {
    super(out);
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int from, int count) throws IOException {
    try {
      out.write(bytes, from, count);
    } catch (IOException e) {
      failure = e;
      throw e;
    }
  }

  /** {@return the failure of a write that lost results, or null} */
  @Nullable IOException loss() {
    IOException seen = failure;
    return seen == null || isClosedPipe(seen) ? null : seen;
  }

  /** The message is in the user's language, but contains the word in each of them. */
  private static boolean isClosedPipe(IOException failure) {
    return String.valueOf(failure.getMessage()).toLowerCase(Locale.ROOT).contains("pipe");
  }
}
