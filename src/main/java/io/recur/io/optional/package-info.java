/** The libraries that users add, each for a package of its own. */
@NullMarked
package io.recur.io.optional;

import org.jspecify.annotations.NullMarked;
