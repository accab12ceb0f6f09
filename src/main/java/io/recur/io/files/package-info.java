/** Files that are replaced as a whole, for every format that {@link io.recur.io} writes. */
@NullMarked
package io.recur.io.files;

import org.jspecify.annotations.NullMarked;
