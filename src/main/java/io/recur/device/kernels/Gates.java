package io.recur.device.kernels;

import io.recur.device.Buffer;
import io.recur.device.Elementwise;
import org.jspecify.annotations.Nullable;

/**
 * One step of the gates of the recurrent cells, after their matrix products, and its derivative.
 *
 * <p>H is the number of units, B the batch. Every state is {@code H×B}; stacked gates are {@code
 * kH×B} with leading dimension kH, in the order LSTM input, forget, cell, output; GRU reset,
 * update, candidate. σ is the logistic function, ∘ the elementwise product. Buffers must not
 * overlap except where it is said. In the derivatives {@code dy} is what comes from the step's
 * output and {@code dh} what comes from the next step; their sum is the gradient of h. A bias is
 * added to every column of the sums; where there is none, they have it already.
 *
 * <pre>{@code
 * int units = 3;
 * Buffer sums = device.allocate(4 * units);               // Wi·x + Wh·h
 * Buffer bias = device.allocate(4 * units);
 * Buffer cell = device.allocate(units);
 * Buffer state = device.allocate(units);
 * kernels.gates().lstm(units, 1, sums, bias, cell, cell, state);
 * }</pre>
 */
public interface Gates {
  /**
   * {@code a += bias, h = f(a)}.
   *
   * @param f the cell's function
   * @param units H
   * @param batch B
   * @param a in: the sum of products, {@code H×B}; out: with the bias
   * @param bias {@code H}, or none
   * @param h output, {@code H×B}
   */
  void rnn(Elementwise f, int units, int batch, Buffer a, @Nullable Buffer bias, Buffer h);

  /**
   * Derivative of {@link #rnn}: {@code da = (dy + dh)∘f'(a)}.
   *
   * @param f the cell's function
   * @param n H·B
   * @param a the sum of products and bias, {@code H×B}
   * @param h the state, {@code H×B}
   * @param dy from the output
   * @param dh from the next step
   * @param da output, {@code H×B}
   */
  void rnnSlope(Elementwise f, int n, Buffer a, Buffer h, Buffer dy, Buffer dh, Buffer da);

  /**
   * {@code i f o = σ(gates + bias), g = tanh(gates + bias), c = f∘c₋ + i∘g, h = o∘tanh(c)}.
   *
   * @param units H
   * @param batch B
   * @param gates in: the sums of products, {@code 4H×B}; out: i, f, g, o
   * @param bias {@code 4H}, or none
   * @param cPrevious c₋
   * @param c output; may be {@code cPrevious}
   * @param h output
   */
  void lstm(
      int units,
      int batch,
      Buffer gates,
      @Nullable Buffer bias,
      Buffer cPrevious,
      Buffer c,
      Buffer h);

  /**
   * Derivative of {@link #lstm}.
   *
   * @param units H
   * @param batch B
   * @param gates i, f, g, o, {@code 4H×B}
   * @param cPrevious c₋
   * @param c the step's c
   * @param dy from the output
   * @param dh from the next step
   * @param dc in: gradient of c from the next step; out: gradient of c₋
   * @param dgates output, gradient of the sums of products
   */
  void lstmSlope(
      int units,
      int batch,
      Buffer gates,
      Buffer cPrevious,
      Buffer c,
      Buffer dy,
      Buffer dh,
      Buffer dc,
      Buffer dgates);

  /**
   * {@code r z = σ(gates + bias + recurrent), n = tanh(gates₃ + bias₃ + r∘(recurrent₃ +
   * recurrentBias)), h = (1−z)∘n + z∘h₋}.
   *
   * @param units H
   * @param batch B
   * @param gates in: Wi·x, {@code 3H×B}; out: r, z, n
   * @param bias {@code 3H}, or none
   * @param recurrent in: Wh·h₋, {@code 3H×B}; out: its last third has the recurrent bias added
   * @param recurrentBias of the candidate, {@code H}, or none
   * @param hPrevious h₋
   * @param h output
   */
  void gru(
      int units,
      int batch,
      Buffer gates,
      @Nullable Buffer bias,
      Buffer recurrent,
      @Nullable Buffer recurrentBias,
      Buffer hPrevious,
      Buffer h);

  /**
   * Derivative of {@link #gru}.
   *
   * @param units H
   * @param batch B
   * @param gates r, z, n, {@code 3H×B}
   * @param recurrent as {@link #gru} left it, {@code 3H×B}
   * @param hPrevious h₋
   * @param dy from the output
   * @param dh in: from the next step; out: the part of h₋'s gradient that does not pass Wh
   * @param dgates output, gradient of Wi·x + b, {@code 3H×B}
   * @param drecurrent output, gradient of Wh·h₋ (+ bias), {@code 3H×B}
   */
  void gruSlope(
      int units,
      int batch,
      Buffer gates,
      Buffer recurrent,
      Buffer hPrevious,
      Buffer dy,
      Buffer dh,
      Buffer dgates,
      Buffer drecurrent);

  /**
   * First half of a GRUv3 step: {@code r z = σ(gates₁₂ + bias₁₂), q = r∘h₋}.
   *
   * @param units H
   * @param batch B
   * @param gates in: Wi·x + [Wh·h₋; 0], {@code 3H×B}; out: r, z in the first two thirds
   * @param bias {@code 3H}, or none
   * @param hPrevious h₋
   * @param q output, {@code H×B}
   */
  void gruV3Reset(
      int units, int batch, Buffer gates, @Nullable Buffer bias, Buffer hPrevious, Buffer q);

  /**
   * Second half of a GRUv3 step: {@code n = tanh(gates₃ + bias₃), h = (1−z)∘n + z∘h₋}.
   *
   * @param units H
   * @param batch B
   * @param gates in: r, z and Wi₃·x + Wh̃·q; out: r, z, n
   * @param bias {@code 3H}, or none
   * @param hPrevious h₋
   * @param h output
   */
  void gruV3Candidate(
      int units, int batch, Buffer gates, @Nullable Buffer bias, Buffer hPrevious, Buffer h);

  /**
   * Derivative of {@link #gruV3Candidate}.
   *
   * @param units H
   * @param batch B
   * @param gates r, z, n
   * @param hPrevious h₋
   * @param dy from the output
   * @param dh in: from the next step; out: the part of h₋'s gradient that passes z alone
   * @param dgates output, the last two thirds of {@code 3H×B}
   */
  void gruV3CandidateSlope(
      int units, int batch, Buffer gates, Buffer hPrevious, Buffer dy, Buffer dh, Buffer dgates);

  /**
   * Derivative of {@link #gruV3Reset}.
   *
   * @param units H
   * @param batch B
   * @param gates r, z, n
   * @param hPrevious h₋
   * @param dq gradient of q
   * @param dh the gradient of h₋, added to
   * @param dgates output, the first third of {@code 3H×B}
   */
  void gruV3ResetSlope(
      int units, int batch, Buffer gates, Buffer hPrevious, Buffer dq, Buffer dh, Buffer dgates);
}
