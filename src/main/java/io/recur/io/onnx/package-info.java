/**
 * Models of ONNX in and out. A graph is read as data, by a reader of the project's own, checked as
 * a whole, and run on a tape: its weights are parameters, its states are those of Recurs.
 */
@NullMarked
package io.recur.io.onnx;

import org.jspecify.annotations.NullMarked;
