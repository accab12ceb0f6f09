package io.recur.io.onnx;

import io.recur.grad.Tape;
import io.recur.nn.Recur;
import java.util.List;

/**
 * One run of a model.
 *
 * @param tape where it computes
 * @param recurs those of the model or the fork that runs
 */
record Execution(Tape tape, List<Recur> recurs) {}
