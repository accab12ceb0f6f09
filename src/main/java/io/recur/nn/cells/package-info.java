/**
 * A catalogue of recurrent cells, one file per cell, each written in tensor operations like the
 * equations of its paper. {@link io.recur.nn.Recur} gives each its state, sequences, printing and
 * checkpoints. {@code docs/cells.md} lists them.
 */
@NullMarked
package io.recur.nn.cells;

import org.jspecify.annotations.NullMarked;
