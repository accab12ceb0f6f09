package io.recur.device.kernels;

/**
 * The shape of a stacked band matrix {@code blocks·n × n}: square blocks, each with nonzeros where
 * {@code |column − row| ≤ bandwidth}. A block stores its diagonals one after the other, lowest
 * first. Bandwidth 0 is diagonal, bandwidth 1 tridiagonal.
 *
 * <pre>{@code
 * Band tridiagonal = new Band(1, 5, 1);
 * int values = tridiagonal.stored();                      // 13
 * }</pre>
 *
 * @param bandwidth diagonals on either side of the main one
 * @param n columns, and rows of a block
 * @param blocks square blocks
 */
public record Band(int bandwidth, int n, int blocks) {
  /**
   * The rows of all blocks.
   *
   * @return {@code blocks·n}
   */
  public int rows() {
    return blocks * n;
  }

  /**
   * The stored values of a block.
   *
   * @return {@code (2·bandwidth + 1)·n − bandwidth·(bandwidth + 1)}
   */
  public int storedPerBlock() {
    return (2 * bandwidth + 1) * n - bandwidth * (bandwidth + 1);
  }

  /**
   * The stored values of all blocks.
   *
   * @return values
   */
  public int stored() {
    return blocks * storedPerBlock();
  }
}
