/** The {@code recur} command: train, sample, info. */
@NullMarked
package io.recur.cli;

import org.jspecify.annotations.NullMarked;
