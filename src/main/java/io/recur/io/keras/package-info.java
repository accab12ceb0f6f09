/**
 * Models of Keras: a model or its weights become layers of this library. {@link
 * io.recur.io.keras.KerasFile} is the way in. It reads HDF5 through {@code io.jhdf:jhdf}, which a
 * user adds.
 */
@NullMarked
package io.recur.io.keras;

import org.jspecify.annotations.NullMarked;
