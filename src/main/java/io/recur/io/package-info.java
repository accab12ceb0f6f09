/**
 * Files of weights: safetensors in and out, whole files in place of old ones, and the loading of
 * weights into models. Optimisers and the command line are unknown here.
 */
@NullMarked
package io.recur.io;

import org.jspecify.annotations.NullMarked;
