package io.recur.io.layers;

/** The kinds of recurrent equations, with their gates in ONNX's order. */
public enum RecurrentKind {
  /** f. */
  RNN(1, 1, 1),
  /** Gates z r h; f and g. */
  GRU(3, 1, 2),
  /** Gates i o f c; f, g and h. */
  LSTM(4, 2, 3);

  private final int gates;
  private final int states;
  private final int functions;

  RecurrentKind(int gates, int states, int functions) {
    this.gates = gates;
    this.states = states;
    this.functions = functions;
  }

  /** {@return the blocks of rows of the weights} */
  public int gates() {
    return gates;
  }

  /** {@return the tensors of its state} */
  public int states() {
    return states;
  }

  /** {@return how many functions it has} */
  public int functions() {
    return functions;
  }
}
