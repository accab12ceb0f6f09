package io.recur.io.json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Thrown;
import io.recur.device.Devices;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the configurations of Keras do not show of the reader. */
@Tag(Devices.CPU)
class JsonTest {
  private static final int LEVELS = 8;

  private static Object value(String json) {
    return Json.read("{\"a\": " + json + "}", LEVELS).get("a");
  }

  @Test
  void numbersOfOneKindNeedNoObjects() {
    Numbers whole = assertInstanceOf(Numbers.class, value("[1, -2 ,3]"));
    assertTrue(whole.areWhole());
    assertEquals(List.of(1L, -2L, 3L), whole);
    Numbers real = assertInstanceOf(Numbers.class, value("[ 0.5,1e-3 , -7.25E+2]"));
    assertFalse(real.areWhole());
    assertEquals(List.of(0.5, 1e-3, -725.0), real);
    assertEquals(0.5, real.at(0));
  }

  @Test
  void anythingElseIsAListOfObjects() {
    assertEquals(List.of(1L, 0.5), value("[1, 0.5]"));
    assertEquals(List.of(0.5, 1L, "x"), value("[0.5, 1, \"x\"]"));
    assertEquals(List.of(1L, List.of(2L)), value("[1, [2]]"));
    assertEquals(List.of(1.5, Double.NEGATIVE_INFINITY), value("[1.5, -Infinity]"));
    assertEquals(List.of(), value("[ ]"));
    assertEquals(List.of(123456789012345678L), value("[123456789012345678]"));
  }

  /** Each is the double that Java makes of its text, however it was read. */
  @Test
  void numbersAreRoundedOnce() {
    Random random = new Random(1);
    List<Double> expected = new ArrayList<>();
    StringBuilder json = new StringBuilder("[");
    for (int i = 0; i < 20_000; i++) {
      String text =
          switch (i % 4) {
            case 0 -> Float.toString(Float.intBitsToFloat(random.nextInt()));
            case 1 -> Double.toString(Double.longBitsToDouble(random.nextLong()));
            case 2 -> String.format(Locale.ROOT, "%.9f", random.nextGaussian() * 1000);
            default -> Double.toString(random.nextFloat());
          };
      if (!text.contains("N") && !text.contains("I")) {
        json.append(expected.isEmpty() ? "" : ",").append(text);
        expected.add(Double.parseDouble(text));
      }
    }
    assertEquals(expected, value(json.append("]").toString()));
    assertInstanceOf(Numbers.class, value(json.toString()));
  }

  /** With 17 and 18 digits: the middle of two doubles, and what is on either side of it. */
  @Test
  void theMiddleOfTwoDoublesIsRoundedOnce() {
    Random random = new Random(2);
    List<Double> expected = new ArrayList<>();
    StringBuilder json = new StringBuilder("[");
    for (int i = 0; i < 3000; i++) {
      long whole = (1L << 52) + (random.nextLong() >>> 12); // of 53 bits: the next are 1 apart
      for (String behind : List.of(".5", ".49", ".51", ".0", ".99")) {
        json.append(expected.isEmpty() ? "" : ", ").append(whole).append(behind);
        expected.add(Double.parseDouble(whole + behind));
      }
      String half = (whole >> 1) + ((whole & 1) == 0 ? ".25" : ".75"); // they are a half apart
      json.append(", ").append(half);
      expected.add(Double.parseDouble(half));
    }
    assertEquals(expected, value(json.append("]").toString()));
  }

  @Test
  void leadingZerosAreNoDigits() {
    assertEquals(
        List.of(0.012345678901234567, 0.00012345678901234567, 0.0, 1e-20),
        value(
            "[0.012345678901234567, 0.00012345678901234567, 0.0000000000000000000000000, "
                + "0.00000000000000000001]"));
  }

  /** More digits than a long has. */
  @Test
  void nineteenDigitsAreRounded() {
    assertEquals(
        List.of(10.0, 0.9223372036854776, 1844674407370955.2),
        value("[9.999999999999999999, 0.9223372036854775808, 1844674407370955.1616]"));
  }

  @Test
  void wholeNumbersOf64BitsAreExact() {
    assertEquals(Long.MAX_VALUE, value("9223372036854775807"));
    assertEquals(Long.MIN_VALUE, value("-9223372036854775808"));
    assertEquals(new BigInteger("18446744073709551615"), value("18446744073709551615"));
    assertEquals(
        List.of(9007199254740992L, 9007199254740993L),
        value("[9007199254740992,9007199254740993]"));
    assertEquals(1e25, value("10000000000000000000000000"));
    assertEquals(-0.0, value("-0.0"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[1,]",
        "[,1]",
        "[1 2]",
        "[01]",
        "[1.]",
        "[.5]",
        "[-]",
        "[+1]",
        "[1e]",
        "[1e+]",
        "[--1]",
        "[1.5.5]",
        "[0x1]",
        "[1e1234567890]",
        "[1",
        "[1,",
        "[0.5, 01]",
        "[1f]",
        "[1d]"
      })
  void whatIsNoNumberIsRefused(String json) {
    assertThrows(IllegalArgumentException.class, () -> value(json));
  }

  @Test
  void theCallerBoundsTheLevels() {
    assertEquals(List.of(List.of(List.of())), value("[[[]]]"));
    Thrown.says(
        IllegalArgumentException.class,
        () -> Json.read("{\"a\": " + "[".repeat(9), LEVELS),
        "need at most 8 levels");
  }

  /** No text makes the reader hang, or throw anything but what says the position. */
  @Test
  void damageIsRefusedWithItsPlace() {
    String whole = "{\"a\": [1, -2.5e3, \"x\\u00e9\"], \"b\": {\"c\": [0.5, 0.25], \"d\": null}}";
    String signs = "{}[]\",:\\-+.eE0123456789 nulltruefalseNaN\u00e9\ud800";
    Random random = new Random(2);
    int refused = 0;
    for (int i = 0; i < 20_000; i++) {
      StringBuilder text = new StringBuilder(whole);
      for (int k = random.nextInt(4); k >= 0; k--) {
        int at = random.nextInt(text.length());
        switch (random.nextInt(3)) {
          case 0 -> text.setCharAt(at, signs.charAt(random.nextInt(signs.length())));
          case 1 -> text.deleteCharAt(at);
          default -> text.insert(at, signs.charAt(random.nextInt(signs.length())));
        }
      }
      try {
        Map<String, Object> read = Json.read(text.toString(), LEVELS);
        assertTrue(read != null);
      } catch (IllegalArgumentException e) {
        refused++;
        assertTrue(e.getMessage().startsWith("JSON: position "), e.toString());
      }
    }
    assertTrue(refused > 10_000, "refused=" + refused);
  }

  @Test
  void quotedTextsAreReadAgain() {
    String text = "a\"b\\c\n\t\u0001é\ud83d\ude00/";
    assertEquals(text, value(Json.quoted(text)));
  }

  /** Errors show texts of files and clients. */
  @Test
  void aShownTextIsShortAndControlsNoTerminal() {
    String text = "a\u001b[2J\u0007\"é\"";
    assertEquals("\"a\\u001b[2J\\u0007\\\"é\\\"\"", Json.shown(text));
    assertEquals("a\\u001b[2J\\u0007\\\"é\\\"", Json.shownBare(text));
    String hundred = "x".repeat(100);
    assertEquals("\"" + hundred + "\"", Json.shown(hundred));
    assertEquals("\"" + hundred + "\"… (1000 characters)", Json.shown(hundred.repeat(10)));
    assertEquals(hundred + "… (1000 characters)", Json.shownBare(hundred.repeat(10)));
  }
}
