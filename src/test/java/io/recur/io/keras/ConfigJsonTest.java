package io.recur.io.keras;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag(Devices.CPU)
class ConfigJsonTest {
  @Test
  void everyKindOfValueIsRead() {
    Map<String, Object> read =
        ConfigJson.read(
            """
             {"a": [1, -2, 0.5, 1e-07, -3.25E2], "b": {"c": true, "d": false, "e": null},
              "f": "x\\n\\u00e9\\"", "g": NaN, "h": -Infinity, "i": []}
            """);
    assertEquals(List.of(1L, -2L, 0.5, 1e-7, -325.0), read.get("a"));
    Map<?, ?> inner = (Map<?, ?>) read.get("b");
    assertEquals(true, inner.get("c"));
    assertEquals(false, inner.get("d"));
    assertTrue(inner.containsKey("e"));
    assertNull(inner.get("e"));
    assertEquals("x\né\"", read.get("f"));
    assertEquals(Double.NaN, read.get("g"));
    assertEquals(Double.NEGATIVE_INFINITY, read.get("h"));
    assertEquals(List.of(), read.get("i"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "[]|position 0 of 2: need an object",
        "{\"a\": 01}|need a value",
        "{\"a\": 1.}|need a value",
        "{\"a\": +1}|need a value",
        "{\"a\": nan}|need a value",
        "{\"a\": 1 \"b\": 2}|need ','",
        "{\"a\" 1}|need ':'",
        "{\"a\": 1, \"a\": 2}|need each name once",
        "{\"a\": \"\\x\"}|need a known escape",
        "{\"a\": \"\\u12g4\"}|need four hex digits",
        "{\"a\": \"b|need more",
        "{\"a\": 1} x|need one object alone",
        "|need more",
      })
  void anythingElseIsRefusedWithItsPlace(String text, String fact) {
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> ConfigJson.read(text == null ? "" : text))
            .getMessage();
    assertTrue(message.startsWith("JSON: position ") && message.contains(fact), message);
  }

  @Test
  void levelsWithoutEndAreRefused() {
    String text = "{\"a\":" + "[".repeat(1_000_000);
    String message =
        assertThrows(IllegalArgumentException.class, () -> ConfigJson.read(text)).getMessage();
    assertTrue(message.contains("need at most 100 levels"), message);
  }
}
