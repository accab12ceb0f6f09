package io.recur.peers;

import static org.bytedeco.dnnl.global.dnnl.dnnl_backward;
import static org.bytedeco.dnnl.global.dnnl.dnnl_eltwise_tanh;
import static org.bytedeco.dnnl.global.dnnl.dnnl_forward_inference;
import static org.bytedeco.dnnl.global.dnnl.dnnl_forward_training;
import static org.bytedeco.dnnl.global.dnnl.dnnl_query_exec_arg_md;
import static org.bytedeco.dnnl.global.dnnl.dnnl_unidirectional_left2right;

import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.lbr_gru_backward;
import org.bytedeco.dnnl.lbr_gru_forward;
import org.bytedeco.dnnl.lstm_backward;
import org.bytedeco.dnnl.lstm_forward;
import org.bytedeco.dnnl.memory.data_type;
import org.bytedeco.dnnl.memory.desc;
import org.bytedeco.dnnl.memory.format_tag;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.rnn_primitive_desc_base;
import org.bytedeco.dnnl.vanilla_rnn_backward;
import org.bytedeco.dnnl.vanilla_rnn_forward;

/**
 * The primitives of a recurrent layer in oneDNN: forward, and backward where it is trained. They
 * choose the layout of the weights; all else lies as Recur lays it out.
 */
final class OneDnnPasses {
  private static final int BACKWARD = dnnl_backward;
  private static final int TO_LAST = dnnl_unidirectional_left2right;
  private static final int TANH = dnnl_eltwise_tanh;

  /**
   * A primitive with its description.
   *
   * @param primitive to be executed
   * @param description of all that it reads and writes
   */
  record Pass(primitive primitive, rnn_primitive_desc_base description) {
    /** The layout of an argument; of no bytes where the primitive does not take it. */
    desc layout(int argument) {
      return description.query_md(dnnl_query_exec_arg_md, argument);
    }
  }

  private final engine engine;
  private final int kind;

  // What the primitives are told of their arguments; a gradient is like its value.
  private final desc x;
  private final desc s; // the state before or after; an LSTM has two
  private final desc wi;
  private final desc wh;
  private final desc b;
  private final desc y;

  private final Pass forward;
  private final Pass backward;

  /**
   * The primitives of a layer.
   *
   * @param layer its number
   * @param time steps
   * @param trains whether a backward pass follows
   * @param hasStates whether the states before and after are given; else they are zero and dropped
   */
  OneDnnPasses(engine engine, Work work, int layer, int time, boolean trains, boolean hasStates) {
    int batch = work.batch();
    int hidden = work.hidden();
    int gates = work.gates();
    this.engine = engine;
    kind = trains ? dnnl_forward_training : dnnl_forward_inference;
    x = float32(format_tag.tnc, time, batch, work.in(layer));
    s = hasStates ? float32(format_tag.ldnc, 1, 1, batch, hidden) : new desc();
    wi = float32(format_tag.any, 1, 1, work.in(layer), gates, hidden);
    wh = float32(format_tag.any, 1, 1, hidden, gates, hidden);
    b = float32(format_tag.ldgo, 1, 1, work.cell().equals("GRU") ? gates + 1 : gates, hidden);
    y = float32(format_tag.tnc, time, batch, hidden);
    forward =
        switch (work.cell()) {
          case "LSTM" -> lstmForward();
          case "GRU" -> gruForward();
          default -> rnnForward();
        };
    backward = trains ? backward(work.cell(), forward.description) : null;
  }

  static desc float32(format_tag tag, long... sizes) {
    return new desc(sizes, data_type.f32, tag);
  }

  Pass forward() {
    return forward;
  }

  /** Null where the layer is not trained. */
  Pass backward() {
    return backward;
  }

  private Pass backward(String cell, rnn_primitive_desc_base of) {
    return switch (cell) {
      case "LSTM" -> lstmBackward((lstm_forward.primitive_desc) of);
      case "GRU" -> gruBackward((lbr_gru_forward.primitive_desc) of);
      default -> rnnBackward((vanilla_rnn_forward.primitive_desc) of);
    };
  }

  private Pass lstmForward() {
    var d = new lstm_forward.primitive_desc(engine, kind, TO_LAST, x, s, s, wi, wh, b, y, s, s);
    return new Pass(new lstm_forward(d), d);
  }

  private Pass lstmBackward(lstm_forward.primitive_desc f) {
    var d =
        new lstm_backward.primitive_desc(
            engine, BACKWARD, TO_LAST, x, s, s, wi, wh, b, y, s, s, x, s, s, wi, wh, b, y, s, s, f);
    return new Pass(new lstm_backward(d), d);
  }

  /** The one whose reset gate multiplies the product: linear before reset. */
  private Pass gruForward() {
    var d = new lbr_gru_forward.primitive_desc(engine, kind, TO_LAST, x, s, wi, wh, b, y, s);
    return new Pass(new lbr_gru_forward(d), d);
  }

  private Pass gruBackward(lbr_gru_forward.primitive_desc f) {
    var d =
        new lbr_gru_backward.primitive_desc(
            engine, BACKWARD, TO_LAST, x, s, wi, wh, b, y, s, x, s, wi, wh, b, y, s, f);
    return new Pass(new lbr_gru_backward(d), d);
  }

  private Pass rnnForward() {
    var d =
        new vanilla_rnn_forward.primitive_desc(engine, kind, TANH, TO_LAST, x, s, wi, wh, b, y, s);
    return new Pass(new vanilla_rnn_forward(d), d);
  }

  private Pass rnnBackward(vanilla_rnn_forward.primitive_desc f) {
    var d =
        new vanilla_rnn_backward.primitive_desc(
            engine, BACKWARD, TANH, TO_LAST, x, s, wi, wh, b, y, s, x, s, wi, wh, b, y, s, f);
    return new Pass(new vanilla_rnn_backward(d), d);
  }
}
