/** The {@code recur} command: train, sample, info, convert, run, devices. */
@NullMarked
package io.recur.cli;

import org.jspecify.annotations.NullMarked;
