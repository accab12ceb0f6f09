/**
 * Finds, unpacks and opens native libraries. Both kinds of devices use this package. The module
 * does not export it.
 */
@NullMarked
package io.recur.device.natives;

import org.jspecify.annotations.NullMarked;
