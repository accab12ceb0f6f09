package io.recur.device.kernels;

import io.recur.device.Buffer;
import io.recur.device.Elementwise;
import org.jspecify.annotations.Nullable;

/**
 * Whole sequences of the recurrent cells with dense recurrent weights, one call per sequence. The
 * recurrent products run on packed weights and are fused with the gates.
 *
 * <p>{@link Array} names what a sequence reads and writes. In its shapes H is the units, B the
 * batch, T the time, N the input's size and G the gates (RNN 1, LSTM 4, GRU and GRUv3 3). {@link
 * Gates} gives the equations. The caller has checked all sizes.
 *
 * <pre>{@code
 * Recurrences recurrences = kernels.recurrences();
 * boolean whole = recurrences != null;                      // else the cells run step by step
 * }</pre>
 */
public interface Recurrences {
  /** The cells, in the order of the C contract. */
  enum Cell {
    /** {@code h' = f(Wi x + Wh h + b)}. */
    RNN(1),
    /** Long short-term memory. */
    LSTM(4),
    /** Gated recurrent unit, reset after the product. */
    GRU(3),
    /** Gated recurrent unit, reset before the product. */
    GRU_V3(3);

    private final int gates;

    Cell(int gates) {
      this.gates = gates;
    }

    /**
     * Gates stacked in Wi.
     *
     * @return G
     */
    public int gates() {
      return gates;
    }
  }

  /**
   * What a sequence reads and writes. An array that a cell or an input does not have is left out.
   */
  enum Array {
    /** Packed input weights, G gates of H×N; left out, see {@link #TABLE} and {@link #SUMS}. */
    WI,
    /** Packed recurrent weights, all gates of H×H; of GRUv3 reset and update. */
    WH,
    /** GRUv3: packed recurrent weights of the candidate, H×H. */
    WC,
    /** {@link #WH} packed transposed, H × (its gates·H), for backward. */
    WHT,
    /** {@link #WC} packed transposed, for backward. */
    WCT,
    /** Bias, GH. */
    B,
    /** GRU: the recurrent bias of the candidate, H. */
    BH,
    /** Input, N×B×T, with {@link #WI}. */
    X,
    /** Plain input weights, GH × classes, for one-hot input. */
    TABLE,
    /** One-hot input: B×T int32 classes. */
    INDEX,
    /** Wi·x + b, GH×B×T, where there is neither {@link #WI} nor {@link #TABLE}. */
    SUMS,
    /** {@link Recurrences#tiles} words, written by forward and read by backward. */
    TILES,
    /** GRUv3: r∘h, H×B×T. */
    Q,
    /** States H×B×(T+1); in: the first. */
    H,
    /** LSTM: cell states c, H×B before the first step, then H×B after the last, which is output. */
    C,
    /** Gradient of the states 1 to T, H×B×T. */
    DY,
    /** In: gradient of the last state beyond {@link #DY}; out: of the state before, H×B. */
    DH,
    /** LSTM: like {@link #DH}. */
    DC,
    /** Out: gradient of Wi·x + b, GH×B for each step, or for two in turn; see {@link #DTILES}. */
    DGATES,
    /** GRU, out: gradient of Wh·h, like {@link #DGATES}. */
    DRECURRENT,
    /**
     * {@link Recurrences#dtiles} words, overwritten, from which backward makes {@link #DWI}, {@link
     * #DWH} and {@link #DWC}; left out where the caller makes these.
     */
    DTILES,
    /** Gradient of Wi, GH × N or GH × classes, added to; left out where it is not wanted. */
    DWI,
    /** Gradient of the weights in {@link #WH}, added to; left out where it is not wanted. */
    DWH,
    /** GRUv3: gradient of the candidate's weights, added to; left out where it is not wanted. */
    DWC,
    /** Gradient of {@link #B}, added to; left out where it is not wanted. */
    DB,
    /** Gradient of {@link #BH}, added to; left out where it is not wanted. */
    DBH
  }

  /** A sequence to run: its sizes and arrays. {@link #begin} reuses it. */
  interface Sequence {
    /**
     * Forgets all arrays and takes sizes.
     *
     * @param memory {@link #DESCRIPTION_FLOATS} words, aligned to 8 bytes, which live as long as
     *     the arrays
     * @param cell the cell
     * @param function the function of the RNN; any function for other cells
     * @param in N
     * @param units H
     * @param batch B
     * @param time T
     * @return this, which {@link #with} completes
     */
    Sequence begin(
        Buffer memory, Cell cell, Elementwise function, int in, int units, int batch, int time);

    /**
     * Sets the number of steps that {@link Array#TILES} has room for. {@link #begin} sets T.
     *
     * @param steps T, or 1 where the batch is 8 or more and no backward follows
     * @return this
     */
    Sequence steps(int steps);

    /**
     * Sets the number of steps that {@link Array#DGATES} and {@link Array#DRECURRENT} have room
     * for.
     *
     * @param steps T, or 2 with {@link Array#DTILES}
     * @return this
     */
    Sequence gradientSteps(int steps);

    /**
     * Names an array.
     *
     * @param array the array
     * @param buffer its memory, or null for none
     * @return this
     */
    Sequence with(Array array, @Nullable Buffer buffer);
  }

  /** The words of memory that the description of a sequence takes. */
  int DESCRIPTION_FLOATS = 80;

  /** {@return an empty description of a sequence} */
  Sequence sequence();

  /**
   * Computes the size of {@link Array#TILES}: about GH×B×T words.
   *
   * @param sequence a sequence with cell and sizes
   * @return words
   */
  long tiles(Sequence sequence);

  /**
   * Computes the size of {@link Array#DTILES}: about GH×256 words, or GH×B×T where the weights are
   * large, and some columns of X and H per thread.
   *
   * @param sequence a sequence with cell and sizes
   * @return words
   */
  long dtiles(Sequence sequence);

  /**
   * Runs all steps.
   *
   * @param sequence with all arrays of forward
   */
  void forward(Sequence sequence);

  /**
   * Runs all steps backward.
   *
   * @param sequence with all arrays, as forward left them
   */
  void backward(Sequence sequence);

  /**
   * Makes a packed copy of weights.
   *
   * @param weights gates·units × terms, column-major
   * @param gates the gates, stacked in the rows
   * @param units the rows of a gate
   * @param terms the columns
   * @param transposed whether to pack the transpose: one gate, {@code terms} rows, gates·units
   *     terms
   * @return a copy that follows the weights
   */
  Packed pack(Buffer weights, int gates, int units, int terms, boolean transposed);
}
