/**
 * Files of weights. This package reads and writes safetensors, replaces files as a whole, and loads
 * weights into models, builds layers from files of PyTorch, and reads and writes arrays of NumPy.
 * It knows neither optimisers nor the command line.
 */
@NullMarked
package io.recur.io;

import org.jspecify.annotations.NullMarked;
