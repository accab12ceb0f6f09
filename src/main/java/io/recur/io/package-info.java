/**
 * Files of weights. This package reads and writes safetensors, replaces files as a whole, and loads
 * weights into models, and builds layers from files of PyTorch. It knows neither optimisers nor the
 * command line.
 */
@NullMarked
package io.recur.io;

import org.jspecify.annotations.NullMarked;
