/**
 * Tensors and a thin automatic differentiation: {@link io.recur.grad.Tensor}, {@link
 * io.recur.grad.Shape}, {@link io.recur.grad.Tape}, {@link io.recur.grad.Op} with {@link
 * io.recur.grad.OpContext}, and one file per operation. This package does not know gates and
 * layers.
 *
 * <p>Shapes are written features × batch × time, first dimension contiguous.
 */
@NullMarked
package io.recur.grad;

import org.jspecify.annotations.NullMarked;
