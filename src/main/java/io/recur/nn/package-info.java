/**
 * Recurrent cells, layers and the state between calls: {@link io.recur.nn.Cell}, {@link
 * io.recur.nn.Recur}, {@link io.recur.nn.Chain}, {@link io.recur.nn.Layers}. Files and command
 * lines are unknown here.
 */
@NullMarked
package io.recur.nn;

import org.jspecify.annotations.NullMarked;
