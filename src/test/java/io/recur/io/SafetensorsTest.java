package io.recur.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag(Devices.CPU)
class SafetensorsTest {
  @TempDir Path folder;

  private static Safetensors sample() {
    Map<String, Safetensors.Entry> tensors = new LinkedHashMap<>();
    tensors.put("W", new Safetensors.Entry(new int[] {2, 3}, new float[] {1, 2, 3, 4, 5, 6}));
    tensors.put("b", new Safetensors.Entry(new int[] {1}, new float[] {-0.5f}));
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("odd", "\"quotes\" \\ \n\t\u0001 Ωλ 😀");
    return new Safetensors(facts, tensors);
  }

  @Test
  void whatIsWrittenIsRead() throws IOException {
    Path file = folder.resolve("a.safetensors");
    sample().write(file);
    Safetensors read = Safetensors.read(file);
    assertEquals(sample().metadata(), read.metadata());
    assertEquals(List.of("W", "b"), List.copyOf(read.tensors().keySet()));
    assertArrayEquals(new int[] {2, 3}, read.tensors().get("W").dimensions());
    assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, read.tensors().get("W").values());
    assertArrayEquals(new float[] {-0.5f}, read.tensors().get("b").values());
  }

  /** The format is row-major: its readers see the transposed matrix, [in, out]. */
  @Test
  void dimensionsStandInTheFileInReverse() throws IOException {
    Path file = folder.resolve("a.safetensors");
    sample().write(file);
    assertTrue(Files.readString(file, StandardCharsets.ISO_8859_1).contains("\"shape\":[3,2]"));
  }

  @Test
  void dataBeginsAtAMultipleOfEight() throws IOException {
    Path file = folder.resolve("a.safetensors");
    sample().write(file);
    byte[] bytes = Files.readAllBytes(file);
    assertEquals(0, ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong() % 8);
  }

  @Test
  void nothingButTheFileRemainsInTheFolder() throws IOException {
    sample().write(folder.resolve("a.safetensors"));
    sample().write(folder.resolve("a.safetensors"));
    try (var files = Files.list(folder)) {
      assertEquals(1, files.count());
    }
  }

  @Test
  void aFailedWriteLeavesTheOldFile() throws IOException {
    Path file = folder.resolve("taken");
    Files.createDirectories(
        file.resolve("inside")); // a folder that is not empty cannot be replaced
    assertThrows(IOException.class, () -> sample().write(file));
    assertTrue(Files.isDirectory(file.resolve("inside")));
    try (var files = Files.list(folder)) {
      assertEquals(1, files.count());
    }
  }

  @Test
  void everyCutIsRefused() throws IOException {
    Path file = folder.resolve("a.safetensors");
    sample().write(file);
    byte[] whole = Files.readAllBytes(file);
    Path cut = folder.resolve("cut");
    for (int length = 0; length < whole.length; length++) {
      Files.write(cut, java.util.Arrays.copyOf(whole, length));
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> Safetensors.read(cut));
      assertTrue(e.getMessage().startsWith(cut.toString()), e.getMessage());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"a\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,8]}}| only F32",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}| need 8 bytes",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[9],\"data_offsets\":[0,36]}}| of 16 bytes",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[2,10]}}| lies at [2, 10]",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]}}| lies at [-8, 0]",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}| has shape [-2]",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[99999,99999,99999],\"data_offsets\":[0,8]}}| has shape",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":\"x\",\"data_offsets\":[0,8]}}| a list of integers",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
            + "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}| overlaps another",
        "{\"a\":{},\"a\":{}}| stands twice",
        "{\"a\":3}| where an object must be",
        "[1]| need one object",
        "{\"a\":true}| need an integer",
        "{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":{\"h\":{\"i\":{}}}}}}}}}}| levels",
        "{\"a| need",
      })
  void aWrongHeaderIsRefused(String header, String why) throws IOException {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + 16).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(json.length).put(json);
    Path file = folder.resolve("wrong");
    Files.write(file, bytes.array());
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Safetensors.read(file));
    assertTrue(e.getMessage().contains(why), e.getMessage());
  }

  @Test
  void aHeaderLongerThanTheFileIsRefusedWithoutReadingIt() throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(100).order(ByteOrder.LITTLE_ENDIAN);
    for (long length : new long[] {93, Long.MAX_VALUE, -1, 0}) {
      Path file = folder.resolve("wrong");
      Files.write(file, bytes.putLong(0, length).array());
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> Safetensors.read(file));
      assertTrue(e.getMessage().contains("header of " + length + " bytes"), e.getMessage());
    }
  }
}
