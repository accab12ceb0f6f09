package io.recur.io.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.device.Devices;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag(Devices.CPU)
class ElementTypeTest {
  @ParameterizedTest
  @CsvSource({
    "BOOL, 2, 1",
    "UINT8, -1, 255",
    "INT8, 200, -56",
    "UINT16, -1, 65535",
    "INT16, 40000, -25536",
    "UINT32, -1, 4294967295",
    "INT32, 3000000000, -1294967296",
    "INT64, -9223372036854775808, -9223372036854775808"
  })
  void anIntegerKeepsTheBitsThatItsTypeHas(ElementType type, long value, long kept) {
    assertEquals(kept, type.narrow(value));
  }
}
