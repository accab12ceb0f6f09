/** Layers and cells that more than one format of models needs, and no user makes. */
@NullMarked
package io.recur.io.layers;

import org.jspecify.annotations.NullMarked;
