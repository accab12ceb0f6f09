package io.recur.io.keras;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Damaged files, and files that lie, end with the documented errors. */
@Tag(Devices.CPU)
class KerasDamageTest {
  private static final int MUTATIONS = 2_000;

  @TempDir private Path folder;

  /** Reads a file and its model; all but the documented errors fail the test. */
  private static boolean isRead(Path path) {
    return assertTimeoutPreemptively(
        Duration.ofSeconds(20), // no run takes longer by itself; a bound, not a measurement
        () -> {
          try {
            KerasFile keras = KerasFile.read(path);
            if (keras.hasModel()) {
              keras.model();
            }
            return true;
          } catch (IllegalArgumentException | IOException e) {
            assertTrue(e.getMessage() != null, e.toString());
            return false;
          }
        });
  }

  private static byte[] mutant(byte[] whole, Random random) {
    byte[] mutant = whole.clone();
    for (int k = random.nextInt(4); k >= 0; k--) {
      mutant[random.nextInt(mutant.length)] = (byte) random.nextInt(256);
    }
    return mutant;
  }

  @ParameterizedTest
  @ValueSource(strings = {"text.weights.h5", "grus.h5", "types.keras"})
  void everyMutationIsReadOrRefused(String name) throws IOException {
    byte[] whole = Files.readAllBytes(KerasFiles.file(name));
    Random random = new Random(14);
    Path file = folder.resolve(name);
    int refused = 0;
    for (int i = 0; i < MUTATIONS; i++) {
      Files.write(file, mutant(whole, random));
      refused += isRead(file) ? 0 : 1;
    }
    assertTrue(refused > 100, refused + " refused");
  }

  /** Most bytes of a file are values; here those that describe it are changed alone. */
  @ParameterizedTest
  @ValueSource(strings = {"TREE", "HEAP", "SNOD", "\u0001\0\u0005\0", "\u0001\0\u0003\0"})
  void everyMutationOfADescriptionIsReadOrRefused(String signature) throws IOException {
    byte[] whole = Files.readAllBytes(KerasFiles.file("text.weights.h5"));
    String text = new String(whole, StandardCharsets.ISO_8859_1);
    int[] places =
        java.util.stream.IntStream.range(0, whole.length)
            .filter(at -> text.startsWith(signature, at))
            .toArray();
    assertTrue(places.length > 3, signature + ": " + places.length);
    Random random = new Random(15);
    Path file = folder.resolve("a.h5");
    for (int i = 0; i < MUTATIONS / 4; i++) {
      byte[] mutant = whole.clone();
      int at = places[random.nextInt(places.length)] + random.nextInt(64);
      for (int k = random.nextInt(8); k >= 0; k--) {
        mutant[Math.min(at + k, mutant.length - 1)] =
            (byte) (random.nextBoolean() ? random.nextInt(256) : random.nextInt(2) * 255);
      }
      Files.write(file, mutant);
      isRead(file);
    }
  }

  @Test
  void everyMutationOfAConfigurationIsReadOrRefused() throws IOException {
    Map<String, byte[]> parts = parts("last.keras");
    byte[] config = parts.get("config.json");
    Random random = new Random(16);
    Path file = folder.resolve("a.keras");
    int refused = 0;
    for (int i = 0; i < MUTATIONS; i++) {
      parts.put("config.json", mutant(config, random));
      zip(file, parts, ZipEntry.STORED);
      refused += isRead(file) ? 0 : 1;
    }
    assertTrue(refused > 500, refused + " refused");
  }

  @ParameterizedTest
  @ValueSource(strings = {"text.weights.h5", "types.keras"})
  void everyCutIsRefused(String name) throws IOException {
    byte[] whole = Files.readAllBytes(KerasFiles.file(name));
    Path file = folder.resolve("cut");
    for (int length = 0; length < whole.length * 9 / 10; length += 97) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertFalse(isRead(file), length + " bytes");
    }
  }

  private static Map<String, byte[]> parts(String name) throws IOException {
    Map<String, byte[]> parts = new LinkedHashMap<>();
    try (ZipFile zip = new ZipFile(KerasFiles.file(name).toFile())) {
      for (ZipEntry entry : java.util.Collections.list(zip.entries())) {
        parts.put(entry.getName(), zip.getInputStream(entry).readAllBytes());
      }
    }
    return parts;
  }

  private static void zip(Path file, Map<String, byte[]> parts, int method) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, byte[]> entry : parts.entrySet()) {
        ZipEntry part = new ZipEntry(entry.getKey());
        part.setMethod(method);
        CRC32 crc = new CRC32();
        crc.update(entry.getValue());
        part.setCrc(crc.getValue());
        part.setSize(entry.getValue().length);
        zip.putNextEntry(part);
        zip.write(entry.getValue());
        zip.closeEntry();
      }
    }
    Files.write(file, bytes.toByteArray());
  }

  private static String refusal(Path file) {
    return assertThrows(IllegalArgumentException.class, () -> KerasFile.read(file)).getMessage();
  }

  @Test
  void aCompressedPartIsRefused() throws IOException {
    Path file = folder.resolve("a.keras");
    zip(file, Map.of("config.json", new byte[1 << 24]), ZipEntry.DEFLATED);
    String message = refusal(file);
    assertTrue(
        message.contains("config.json is compressed") && message.contains("zip -0"), message);
  }

  @Test
  void aPartThatIsMissingIsNamedWithThoseThatAreThere() throws IOException {
    Path file = folder.resolve("a.keras");
    zip(file, Map.of("model.weights.npz", new byte[1]), ZipEntry.STORED);
    String message = refusal(file);
    assertTrue(
        message.contains("config.json is missing") && message.contains("\"model.weights.npz\""),
        message);
  }

  @Test
  void otherFilesAreRefused() throws IOException {
    Path file = Files.writeString(folder.resolve("a.h5"), "not a model");
    assertTrue(refusal(file).contains("neither a .keras archive nor an HDF5 file"));
    assertThrows(IOException.class, () -> KerasFile.read(folder));
    assertThrows(IOException.class, () -> KerasFile.read(folder.resolve("missing")));
  }

  @Test
  void chunksAreRefusedWithTheirFilters() {
    String message = refusal(KerasFiles.file("chunked.h5"));
    assertTrue(message.contains("in chunks with filters (1 deflate"), message);
    assertTrue(message.contains("h5repack -l CONTI -f NONE"), message);
  }

  /** h5py writes a bfloat16 as two bytes of no kind; an attribute of Keras says what they are. */
  @Test
  void twoBytesThatNothingNamesAreRefused() throws IOException {
    byte[] bytes = Files.readAllBytes(KerasFiles.file("half.weights.h5"));
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    assertTrue(text.contains("bfloat16"));
    Path file = folder.resolve("unnamed.h5");
    Files.write(file, text.replace("bfloat16", "bfloat17").getBytes(StandardCharsets.ISO_8859_1));
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> KerasFile.read(file).dense("layers/dense"))
            .getMessage();
    assertTrue(message.contains("\"layers/dense/vars/0\" (kernel) is "), message);
    assertTrue(message.contains("need floats"), message);
  }

  /** A float of 4 bytes whose exponent is counted from another number than that of IEEE. */
  @Test
  void floatsOfAnotherBiasAreRefused() throws IOException {
    Path file = replaced("\u0017\b\0\u0017\u007f\0\0\0", 4, 0x7e);
    String message =
        assertThrows(IllegalArgumentException.class, () -> KerasFile.read(file).model())
            .getMessage();
    assertTrue(message.contains("FloatingPoint of 4 bytes[3, 12], need floats"), message);
  }

  /** Says of every dataset in one piece of fewer than 256 bytes that it has none. */
  @Test
  void aDatasetThatIsTooShortIsRefused() throws IOException {
    Path file = folder.resolve("short.h5");
    byte[] bytes = Files.readAllBytes(KerasFiles.file("text.weights.h5"));
    int found = 0;
    for (int at = 0; at + 18 <= bytes.length; at++) {
      boolean isLayout = bytes[at] == 3 && bytes[at + 1] == 1;
      boolean isShort =
          bytes[at + 10] != 0 && Arrays.equals(bytes, at + 11, at + 18, new byte[7], 0, 7);
      if (isLayout && isShort) {
        bytes[at + 10] = 0;
        found++;
      }
    }
    assertTrue(found > 0);
    Files.write(file, bytes);
    String message = refusal(file);
    assertTrue(message.contains(" has 0 bytes; need "), message);
  }

  private Path replaced(String signature, int offset, int value) throws IOException {
    byte[] bytes = Files.readAllBytes(KerasFiles.file("grus.h5"));
    String text = new String(bytes, StandardCharsets.ISO_8859_1);
    int found = 0;
    for (int at = text.indexOf(signature); at >= 0; at = text.indexOf(signature, at + 1)) {
      bytes[at + offset] = (byte) value;
      found++;
    }
    assertTrue(found > 0);
    return Files.write(folder.resolve("replaced.h5"), bytes);
  }

  // Files whose parts refer to each other.

  @Test
  void treesThatMultiplyAreRefused() throws IOException {
    Path file = folder.resolve("tree.h5");
    Files.write(file, new HdfBomb().tree(30, 12));
    String message =
        assertTimeoutPreemptively(Duration.ofSeconds(60), () -> refusal(file)); // a bound
    assertTrue(message.contains("refer to each other again and again"), message);
  }

  @Test
  void aTreeInsideOfItselfIsRefused() throws IOException {
    Path file = folder.resolve("circle.h5");
    Files.write(file, new HdfBomb().treeInItself());
    String message =
        assertTimeoutPreemptively(Duration.ofSeconds(60), () -> refusal(file)); // a bound
    assertTrue(
        message.contains("its levels have no end") || message.contains("again and again"), message);
  }

  @Test
  void aGroupInsideOfItselfIsRefused() throws IOException {
    Path file = folder.resolve("group.h5");
    Files.write(file, new HdfBomb().groupInItself());
    assertTrue(refusal(file).contains("\"a\" is linked twice"));
  }
}
