/**
 * Tensors and a thin automatic differentiation: {@link io.recur.grad.Tensor}, {@link
 * io.recur.grad.Shape}, {@link io.recur.grad.Tape}, {@link io.recur.grad.Op} and one file an
 * operation. Gates and layers are unknown here.
 *
 * <p>Shapes are written features × batch × time, first dimension contiguous.
 */
@NullMarked
package io.recur.grad;

import org.jspecify.annotations.NullMarked;
