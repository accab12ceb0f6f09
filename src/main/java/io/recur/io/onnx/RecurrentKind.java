package io.recur.io.onnx;

import java.util.List;

/** ONNX's recurrent operators. */
enum RecurrentKind {
  /** f. */
  RNN(1, 1, Activation.Kind.TANH),
  /** Gates z r h; f and g. */
  GRU(3, 1, Activation.Kind.SIGMOID, Activation.Kind.TANH),
  /** Gates i o f c; f, g and h. */
  LSTM(4, 2, Activation.Kind.SIGMOID, Activation.Kind.TANH, Activation.Kind.TANH);

  /** The blocks of rows of the weights. */
  final int gates;

  /** The tensors of its state. */
  final int states;

  /** Its functions where a node names none. */
  final List<Activation.Kind> functions;

  RecurrentKind(int gates, int states, Activation.Kind... functions) {
    this.gates = gates;
    this.states = states;
    this.functions = List.of(functions);
  }
}
