package io.recur.peers;

import java.util.ArrayList;
import java.util.List;

/**
 * What a recurrent cell consists of: its arrays, and what of them multiplies what.
 *
 * @param parts in the order in which their values are drawn
 * @param barriers of a step beyond those of the LSTM: a product of what another product of the same
 *     step gave, or a sum over all units, waits for all threads
 */
record Recurrence(List<Part> parts, int barriers) {
  /** Built-in: of the libraries that we are compared with, too. */
  static final List<String> BUILT_IN = List.of("RNN", "GRU", "LSTM");

  static final String LSTM = "LSTM";
  static final String GRU = "GRU";
  static final String OWN_GRU = "GRU from its equations";
  static final String UGRNN = "UGRNN";
  static final String MGU = "MGU";
  static final String LIGRU = "LiGRU";
  static final String PEEPHOLE = "peephole LSTM";
  static final String LAYER_NORM = "LayerNorm LSTM";

  /** Written by their users, or in the catalogue; every step needs the step before. */
  static final List<String> GATED = List.of(UGRNN, MGU, LIGRU, PEEPHOLE, LAYER_NORM);

  static final String MIN_GRU = "minGRU";
  static final String LRU = "LRU";
  static final String MIN_GRU_SCAN = "minGRU scan";
  static final String LRU_SCAN = "LRU scan";

  /** Linear in the state: other ways than step after step compute them too. */
  static final List<String> LINEAR = List.of(MIN_GRU_SCAN, MIN_GRU, LRU_SCAN, LRU);

  /** Without weights to train or products: in training x has the gradient. */
  static final List<String> SCANS = List.of(MIN_GRU_SCAN, LRU_SCAN);

  /** What a matrix multiplies. */
  enum Operand {
    /** x of all steps at once; in training a product forward and one for the weights' gradient. */
    INPUT,
    /** The state, at each step; in training a product more, for the gradient of the state. */
    STATE,
    /** The states of all steps at once, after the last step; as many products as the state's. */
    STATES,
    /** Nothing: a vector. */
    NONE
  }

  /**
   * An array.
   *
   * @param name without the number of its layer
   * @param rows in units
   * @param operand whose length it has as columns
   * @param centre of its values, which are spread by 1/√units
   */
  record Part(String name, int rows, Operand operand, double centre) {
    int columns(int in, int units) {
      return switch (operand) {
        case INPUT -> in;
        case STATE, STATES -> units;
        case NONE -> 1;
      };
    }

    int rows(int units) {
      return rows * units;
    }
  }

  static Recurrence of(String cell) {
    return switch (cell) {
      case "RNN" -> gated(1);
      case GRU, OWN_GRU -> gated(3, vector("bh", 1));
      case LSTM -> gated(4);
      case UGRNN -> gated(2);
      case LIGRU -> new Recurrence(gated(2, vector("g", 2, 1)).parts, 1);
      case MGU -> new Recurrence(List.of(input(2), state("Wh", 1), state("Whc", 1), bias(2)), 1);
      case PEEPHOLE -> gated(4, vector("pi", 1), vector("pf", 1), vector("po", 1));
      case MIN_GRU -> new Recurrence(List.of(input(2), bias(2)), 0);
      case LAYER_NORM ->
          new Recurrence(
              gated(
                      4,
                      vector("gi", 4, 1),
                      vector("gh", 4, 0.25),
                      vector("gc", 1, 1),
                      vector("bc", 1))
                  .parts,
              2); // with a gain of 1 on Wh·h differences of rounding grow with each step
      case MIN_GRU_SCAN -> new Recurrence(List.of(), 0);
      case LRU_SCAN -> new Recurrence(List.of(vector("re", 1, 0.8), vector("im", 1, 0.3)), 0);
      case LRU ->
          new Recurrence(
              List.of(
                  new Part("B", 2, Operand.INPUT, 0),
                  new Part("Cr", 1, Operand.STATES, 0),
                  new Part("Ci", 1, Operand.STATES, 0),
                  vector("D", 1),
                  vector("nu", 1, -3), // |λ| = e^−e^ν is 0.95 or so
                  vector("theta", 1, 0),
                  vector("gamma", 1, -1)),
              0);
      default -> throw new IllegalArgumentException("no cell is called " + cell);
    };
  }

  private static Recurrence gated(int gates, Part... more) {
    List<Part> parts = new ArrayList<>();
    parts.addAll(List.of(input(gates), state("Wh", gates), bias(gates)));
    parts.addAll(List.of(more));
    return new Recurrence(parts, 0);
  }

  private static Part input(int rows) {
    return new Part("Wi", rows, Operand.INPUT, 0);
  }

  private static Part state(String name, int rows) {
    return new Part(name, rows, Operand.STATE, 0);
  }

  private static Part bias(int rows) {
    return vector("b", rows);
  }

  private static Part vector(String name, int rows) {
    return vector(name, rows, 0);
  }

  private static Part vector(String name, int rows, double centre) {
    return new Part(name, rows, Operand.NONE, centre);
  }
}
