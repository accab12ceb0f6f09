/**
 * Training: optimisers, clipping, learning-rate schedules, streams of sequences, the training loop
 * and checkpoints. The command line is unknown here.
 */
@NullMarked
package io.recur.train;

import org.jspecify.annotations.NullMarked;
