package io.recur.io.onnx;

import java.util.List;

/**
 * What a recurrent layer gives.
 *
 * @param y [time, batch, rows]
 * @param rows of y
 * @param states after the last step, [batch, rows] each
 */
record ExportRun(String y, int rows, List<String> states) {}
