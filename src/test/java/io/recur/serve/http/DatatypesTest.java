package io.recur.serve.http;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Every type of the protocol, in JSON and as binary data. */
class DatatypesTest extends ServedSessions {
  @BeforeEach
  void begin() throws IOException {
    serve();
  }

  private static void put(Datatype type, ByteBuffer to, double value) {
    switch (type) {
      case BOOL, UINT8, INT8 -> to.put((byte) value);
      case UINT16, INT16 -> to.putShort((short) value);
      case UINT32, INT32 -> to.putInt((int) value);
      case UINT64, INT64 -> to.putLong((long) value);
      case FP16 -> to.putShort(Float.floatToFloat16((float) value));
      case BF16 -> to.putShort((short) (Float.floatToIntBits((float) value) >>> 16));
      case FP32 -> to.putFloat((float) value);
      case FP64 -> to.putDouble(value);
    }
  }

  /** A step of floats, or a symbol, whose answer is that of the one-hot vector. */
  @ParameterizedTest
  @EnumSource(Datatype.class)
  void binaryDataOfEachTypeIsRead(Datatype type) {
    double[] values = type.isWhole ? new double[] {1} : new double[] {0.5, -1.25, 3};
    ByteBuffer data =
        ByteBuffer.allocate(type.bytes * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (double value : values) {
      put(type, data, value);
    }
    String json =
        """
        {"inputs": [{"name": "x", "shape": [%d], "datatype": "%s", \
        "parameters": {"binary_data_size": %d}}]}"""
            .formatted(values.length, type, data.capacity());
    float[] dense = type.isWhole ? new float[] {0, 1, 0} : new float[] {0.5f, -1.25f, 3};
    assertArrayEquals(alone(dense)[0], floats(binary("/v2/models/m/infer", json, data.array())));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "UINT8|-1 as a byte is 255|255",
        "INT8|a byte|-1",
        "UINT16|two bytes|65535",
        "INT16|two bytes|-1",
        "UINT32|four bytes|4294967295",
        "INT32|four bytes|-1"
      })
  void signsAreThoseOfTheType(Datatype type, String what, double expected) {
    ByteBuffer ones = ByteBuffer.wrap(new byte[] {-1, -1, -1, -1, -1, -1, -1, -1});
    assertEquals(expected, type.next(ones), what);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[2]|[2, 0]|[2, 2]",
        "[1, 2]|[[2, 0]]|[1, 2, 2]",
        "[2, 1]|[[2], [0]]|[2, 1, 2]",
      })
  void symbolsAreStepsOfOneHotVectors(String shape, String data, String answered) {
    Answer answer =
        post(
            "/v2/models/m/infer",
            """
            {"inputs": [{"name": "x", "shape": %s, "datatype": "INT64", "data": %s}]}"""
                .formatted(shape, data));
    float[][] expected = alone(new float[] {0, 0, 1}, new float[] {1, 0, 0});
    float[] y = floats(answer);
    for (int t = 0; t < 2; t++) {
      for (int i = 0; i < OUT; i++) {
        assertEquals(expected[t][i], y[OUT * t + i], 1e-6f); // a sequence adds up in another order
      }
    }
    assertEquals(answered, output(answer).get("shape").toString());
  }

  @Test
  void numbersOfMixedKindsAreRead() {
    float[] x = {1, 0.25f, -30};
    for (String data : List.of("[1, 0.25, -30]", "[[1.0, 0.25], [-30.0]]", "[1e0, 25e-2, -3e+1]")) {
      assertArrayEquals(
          alone(x)[0], floats(post("/v2/models/m/infer", body("", "[3]", data))), data);
    }
  }

  @Test
  void anOutputIsBinaryWhereItIsAskedFor() {
    String json =
        """
        {"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}], \
        "outputs": [{"name": "y", "parameters": {"binary_data": %s}}]}""";
    float[] expected = alone(new float[] {1, 2, 3})[0];
    assertArrayEquals(expected, binaryFloats(post("/v2/models/m/infer", json.formatted("true"))));
    assertArrayEquals(expected, floats(post("/v2/models/m/infer", json.formatted("false"))));
  }
}
