/**
 * Layers and cells that importers of several formats share. Users do not make them. Not exported.
 */
@NullMarked
package io.recur.io.layers;

import org.jspecify.annotations.NullMarked;
