/**
 * What shows a training: a bar and a picture. Their libraries are optional; {@link
 * io.recur.io.optional.OptionalLibrary} says what to add.
 */
@NullMarked
package io.recur.train.show;

import org.jspecify.annotations.NullMarked;
