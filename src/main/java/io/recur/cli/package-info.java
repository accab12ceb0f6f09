/** The {@code recur} command: train, sample, info, devices. */
@NullMarked
package io.recur.cli;

import org.jspecify.annotations.NullMarked;
