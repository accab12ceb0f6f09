/**
 * Recurrent cells, layers and the state between calls: {@link io.recur.nn.Cell}, {@link
 * io.recur.nn.Recur}, {@link io.recur.nn.Chain}, {@link io.recur.nn.Layers}. This package does not
 * know files and command lines.
 */
@NullMarked
package io.recur.nn;

import org.jspecify.annotations.NullMarked;
