/** JSON as Python and browsers write it, within bounds. Not exported. */
@NullMarked
package io.recur.io.json;

import org.jspecify.annotations.NullMarked;
