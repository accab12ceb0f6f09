/**
 * Training: optimisers, clipping, learning-rate schedules, streams of sequences, the training loop,
 * and checkpoints, which are files of weights with an optimiser's memory. This package does not
 * know the command line.
 */
@NullMarked
package io.recur.train;

import org.jspecify.annotations.NullMarked;
