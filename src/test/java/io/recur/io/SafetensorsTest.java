package io.recur.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.recur.device.Devices;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
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
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    tensors.put("W", new StoredTensor(new int[] {2, 3}, new float[] {1, 2, 3, 4, 5, 6}));
    tensors.put("b", new StoredTensor(new int[] {1}, new float[] {-0.5f}));
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("odd", "\"quotes\" \\ \n\t\u0001 Ωλ 😀");
    return new Safetensors(facts, tensors);
  }

  @Test
  void whatIsWrittenIsRead() throws IOException {
    Path file = folder.resolve("a.safetensors");
    sample().write(file);
    try (Safetensors read = Safetensors.read(file)) {
      assertTrue(read.isChecked());
      assertEquals(sample().metadata(), read.metadata());
      assertEquals(List.of("W", "b"), List.copyOf(read.tensors().keySet()));
      assertArrayEquals(new long[] {2, 3}, read.tensors().get("W").dimensions());
      assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6}, read.tensors().get("W").values());
      assertArrayEquals(new float[] {-0.5f}, read.tensors().get("b").values());
    }
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
        "{\"a\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[0,16]}}| need 4 bytes",
        "{\"a\":{\"dtype\":\"F33\",\"shape\":[4],\"data_offsets\":[0,16]}}| dtype=F33; need one of",
        "{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,16]}}| whole bytes",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,12]}}| need 16 bytes",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[9],\"data_offsets\":[0,36]}}| of 16 bytes",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[6],\"data_offsets\":[0,24]}}| of 16 bytes; need 24 bytes inside",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}| leaves a hole",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}| 16 bytes of data; need 8",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]}}| an integer from 0",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}| an integer from 0",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[04],\"data_offsets\":[0,16]}}| an integer from 0",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[9223372036854775808],\"data_offsets\":[0,16]}}| an integer from 0",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[٤],\"data_offsets\":[0,16]}}| an integer from 0",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4.0],\"data_offsets\":[0,16]}}| need",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2147483647],\"data_offsets\":[9223372036854775804,9223372036854775807]}}| of 16 bytes",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2147483647],\"data_offsets\":[9223372036854775804,-9223372028264841224]}}| an integer from 0",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,16]}}| fewer than",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[0,4294967296,4294967296],\"data_offsets\":[0,0]}}| fewer than",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387908],\"data_offsets\":[0,16]}}| fewer than",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[16,0]}}| data_offsets=[16, 0]",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0]}}| data_offsets=[0]",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":\"x\",\"data_offsets\":[0,8]}}| a list of integers",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]},\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}| overlaps",
        "{\"a\":{},\"a\":{}}| stands twice",
        "{\"a\":3}| need an object",
        "{\"__metadata__\":[],\"a\":3}| need an object",
        "{\"__metadata__\":{\"a\":1}}| is no string",
        "{\"__metadata__\":{\"recur.crc32c\":\"0\"}}| 8 hex digits",
        "{\"__metadata__\":{\"recur.crc32c\":\"00000000\"}}| checksum does not fit",
        "[1]| need one object",
        "{} x| need one object",
        "{\"a\":true}| need a string",
        "{\"a\":1,}| need",
        "{\"\\ud800\":1}| surrogate",
        "{\"\\u+041\":1}| hex digits",
        "{\"a\":{\"b\":{\"b\":{\"b\":{\"b\":{\"b\":{\"b\":{\"b\":{\"b\":{\"b\":1}}}}}}}}}}| levels",
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

  private Path file(String header, int... data) throws IOException {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes =
        ByteBuffer.allocate(8 + json.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(json.length).put(json);
    for (int value : data) {
      bytes.put((byte) value);
    }
    return Files.write(folder.resolve("foreign"), bytes.array());
  }

  /** All types of the reference reader are listed; a half, a bfloat and a double are 1.5. */
  @Test
  void tensorsOfEveryTypeAreListedAndReadWhenAskedFor() throws IOException {
    Path path =
        file(
            """
            {"half":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},\
            "bfloat":{"dtype":"BF16","shape":[1],"data_offsets":[2,4]},\
            "double":{"dtype":"F64","shape":[],"data_offsets":[4,12]},\
            "long":{"dtype":"I64","shape":[1],"data_offsets":[12,20]},\
            "bytes":{"dtype":"U8","shape":[2],"data_offsets":[20,22]},\
            "bool":{"dtype":"BOOL","shape":[1,1],"data_offsets":[22,23]},\
            "small":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[23,24]},\
            "four":{"dtype":"F4","shape":[2],"data_offsets":[24,25]},\
            "none":{"dtype":"I32","shape":[0,3],"data_offsets":[25,25]}}""",
            0,
            0x3e,
            0xc0,
            0x3f,
            0,
            0,
            0,
            0,
            0,
            0,
            0xf8,
            0x3f,
            0xfe,
            0xff,
            0xff,
            0xff,
            0xff,
            0xff,
            0xff,
            0xff,
            7,
            255,
            1,
            0x38,
            0x21);
    try (Safetensors read = Safetensors.read(path)) {
      Map<String, StoredTensor> tensors = read.tensors();
      assertEquals(9, tensors.size());
      for (String name : List.of("half", "bfloat", "double")) {
        assertArrayEquals(new float[] {1.5f}, tensors.get(name).values());
      }
      assertArrayEquals(new long[] {-2}, tensors.get("long").integers());
      assertArrayEquals(new long[] {7, 255}, tensors.get("bytes").integers());
      assertArrayEquals(new long[] {1}, tensors.get("bool").integers());
      assertArrayEquals(new long[0], tensors.get("none").integers());
      assertArrayEquals(new long[] {3, 0}, tensors.get("none").dimensions());
      assertEquals(Dtype.F8_E4M3, tensors.get("small").dtype());
      assertEquals(2, tensors.get("four").count());
      assertEquals(1, tensors.get("four").bytes());
      for (String name : List.of("long", "small", "four")) {
        IllegalArgumentException e =
            assertThrows(IllegalArgumentException.class, () -> tensors.get(name).values());
        assertTrue(e.getMessage().contains("tensor " + name), e.getMessage());
      }
      assertThrows(IllegalArgumentException.class, () -> tensors.get("half").integers());
    }
  }

  @Test
  void aReadFileIsWrittenAgainWithAllItsTypes() throws IOException {
    Path first =
        file(
            "{\"__metadata__\":{\"a\":\"b\"},"
                + "\"x\":{\"dtype\":\"I16\",\"shape\":[2],\"data_offsets\":[0,4]}}",
            1,
            0,
            255,
            255);
    Path second = folder.resolve("again");
    try (Safetensors read = Safetensors.read(first)) {
      assertFalse(read.isChecked());
      read.write(second);
    }
    try (Safetensors again = Safetensors.read(second)) {
      assertEquals(Map.of("a", "b"), again.metadata());
      assertArrayEquals(new long[] {1, -1}, again.tensors().get("x").integers());
    }
  }

  @Test
  void aClosedFileIsNotRead() throws IOException {
    Path file = folder.resolve("a.safetensors");
    sample().write(file);
    Safetensors read = Safetensors.read(file);
    read.close();
    assertThrows(IllegalStateException.class, () -> read.tensors().get("W").values());
  }

  /** Beyond 2 GiB, and one tensor of more than 2²⁹ values: a sparse file of zeros and one seven. */
  @Test
  void aLargeFileIsReadInPieces() throws IOException {
    long floats = 550_000_000;
    String header =
        "{\"big\":{\"dtype\":\"F32\",\"shape\":[%d],\"data_offsets\":[0,%d]},"
                .formatted(floats, 4 * floats)
            + "\"last\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[%d,%d]}}"
                .formatted(4 * floats, 4 * floats + 4);
    Path path = file(header);
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
      ByteBuffer seven = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(0, 7);
      channel.write(seven, 8 + header.length() + 4 * floats);
    }
    try (Safetensors read = Safetensors.read(path)) {
      assertEquals(floats, read.tensors().get("big").count());
      assertEquals(-1, read.tensors().get("big").firstNotFinite());
      assertArrayEquals(new float[] {7}, read.tensors().get("last").values());
    }
  }

  /**
   * A flipped bit anywhere in header or data is refused, by the header or by its tensor. A bit of
   * the checksums' own name leaves a file without checksums, which says so.
   */
  @Test
  void everyFlippedBitIsNoticed() throws IOException {
    Path file = folder.resolve("a.safetensors");
    sample().write(file);
    byte[] whole = Files.readAllBytes(file);
    Path damaged = folder.resolve("damaged");
    int unchecked = 0;
    for (int bit = 0; bit < 8 * whole.length; bit++) {
      byte[] bytes = whole.clone();
      bytes[bit / 8] ^= (byte) (1 << bit % 8);
      Files.write(damaged, bytes);
      boolean isNoticed = false;
      try (Safetensors read = Safetensors.read(damaged)) {
        for (StoredTensor entry : read.tensors().values()) {
          entry.values();
        }
        unchecked += read.isChecked() ? 0 : 1;
        isNoticed = !read.isChecked();
      } catch (IllegalArgumentException e) {
        isNoticed = true;
      }
      assertTrue(isNoticed, "bit " + bit);
    }
    assertTrue(unchecked > 0 && unchecked <= 8 * "recur.crc32c".length(), "unchecked " + unchecked);
  }

  @Test
  void valuesKeepTheirBits() throws IOException {
    int[] bits = {0x7fc12345, 0xffa00001, 0xff800000, 1, 0x80000000};
    float[] values = new float[bits.length];
    for (int i = 0; i < bits.length; i++) {
      values[i] = Float.intBitsToFloat(bits[i]);
    }
    Path file = folder.resolve("bits");
    new Safetensors(Map.of(), Map.of("W", new StoredTensor(new int[] {5}, values))).write(file);
    byte[] written = Files.readAllBytes(file);
    ByteBuffer data = ByteBuffer.wrap(written).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < bits.length; i++) {
      assertEquals(bits[i], data.getInt(written.length - 4 * bits.length + 4 * i));
    }
  }

  /** A file that our own or the reference reader would refuse is not written. */
  @Test
  void whatNoReaderTakesIsNotWritten() {
    StoredTensor one = new StoredTensor(new int[] {1}, new float[] {1});
    Map<String, String> nothing = new HashMap<>();
    nothing.put("a", null);
    Map<String, StoredTensor> none = new HashMap<>();
    none.put("a", null);
    List<Safetensors> odd =
        List.of(
            new Safetensors(Map.of(), Map.of("__metadata__", one)),
            new Safetensors(Map.of("recur.crc32c", "x"), Map.of("W", one)),
            new Safetensors(nothing, Map.of("W", one)),
            new Safetensors(Map.of(), none),
            new Safetensors(Map.of("\ud800x", "y"), Map.of()),
            new Safetensors(Map.of("x", "\udc00\ud800"), Map.of()),
            new Safetensors(Map.of(), Map.of("\ud83d", one)),
            new Safetensors(Map.of("x", "y".repeat(100_000_000)), Map.of()));
    for (Safetensors file : odd) {
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class, () -> file.write(folder.resolve("odd.safetensors")));
      assertTrue(e.getMessage().startsWith("safetensors: "), e.getMessage());
      assertFalse(Files.exists(folder.resolve("odd.safetensors")));
    }
    assertThrows(
        IllegalArgumentException.class, () -> new StoredTensor(new int[] {2, 3}, new float[5]));
    assertThrows(
        IllegalArgumentException.class, () -> new StoredTensor(new int[] {-1, -1}, new float[1]));
  }

  @Test
  void scalarsEmptyTensorsAndOddNamesAreWrittenAndRead() throws IOException {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    tensors.put("", new StoredTensor(new int[0], new float[] {3}));
    tensors.put("%s%n\u0000\u007f\u2028", new StoredTensor(new int[] {0, 5}, new float[0]));
    Path file = folder.resolve("odd.safetensors");
    new Safetensors(Map.of("", "\u001b"), tensors).write(file);
    try (Safetensors read = Safetensors.read(file)) {
      assertEquals(tensors.keySet(), read.tensors().keySet());
      assertEquals(Map.of("", "\u001b"), read.metadata());
      assertArrayEquals(new float[] {3}, read.tensors().get("").values());
    }
  }

  /** The strings of a file do not reach a terminal as they are. */
  @Test
  void errorsEscapeAndCutTheStringsOfAFile() throws IOException {
    String name = "\\u001b]0;owned\\u0007" + "x".repeat(1000);
    Path path = file("{\"" + name + "\":{\"dtype\":\"?\",\"shape\":[],\"data_offsets\":[0,0]}}");
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> Safetensors.read(path));
    assertTrue(e.getMessage().chars().noneMatch(Character::isISOControl), e.getMessage());
    assertTrue(e.getMessage().length() < 1000, e.getMessage());
  }

  @Test
  void aPipeIsNotOpened() throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/mkfifo")), "no mkfifo on this machine");
    Path pipe = folder.resolve("pipe");
    assertEquals(0, new ProcessBuilder("/usr/bin/mkfifo", pipe.toString()).start().waitFor());
    assertThrows(IOException.class, () -> Safetensors.read(pipe));
    assertThrows(IOException.class, () -> Safetensors.read(folder));
    assertThrows(NoSuchFileException.class, () -> Safetensors.read(folder.resolve("missing")));
  }
}
