package io.recur.io.onnx;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;

/** Where the values of a tensor are that the message of the tensor does not hold. */
@FunctionalInterface
interface ForeignData {
  /**
   * Reads a tensor.
   *
   * @param entries what the model says of the place
   * @param bytes that the tensor needs
   * @return as many bytes
   */
  ByteBuffer read(Map<String, String> entries, long bytes) throws IOException;
}
