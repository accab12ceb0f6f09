/**
 * Finding, unpacking and opening native libraries. Both kinds of devices share it, and the module
 * does not export it.
 */
@NullMarked
package io.recur.device.natives;

import org.jspecify.annotations.NullMarked;
