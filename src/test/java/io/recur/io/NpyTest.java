package io.recur.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.Resource;
import io.recur.device.Devices;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of NumPy that {@code make.py} beside them made: 2×3×4 values, 0 to 5.75 in steps of ¼. */
@Tag(Devices.CPU)
class NpyTest {
  private static final int MUTATIONS = 2_000;

  @TempDir private Path folder;

  private static Path file(String name) {
    return Resource.file("/numpy/" + name);
  }

  private static float[] quarters(int count, float step) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = step * i;
    }
    return values;
  }

  @ParameterizedTest
  @CsvSource({
    "c32, 0.25",
    "fortran32, 0.25",
    "c64, 0.25",
    "fortran64, 0.25",
    "big, 0.25",
    "second, 0.25",
    "int32, 1",
    "int64, 1",
  })
  void everyTypeAndOrderHasTheSameValues(String name, float step) throws IOException {
    Npy array = Npy.read(file(name + ".npy"));
    assertArrayEquals(new int[] {2, 3, 4}, array.sizes());
    assertEquals(Shape.of(4, 3, 2), array.shape());
    assertArrayEquals(quarters(24, step), array.values(), 0);
    assertEquals("float32[2, 3, 4]", array.toString());
  }

  @Test
  void everyNumberOfSizesIsRead() throws IOException {
    assertEquals(Shape.of(4), Npy.read(file("vector.npy")).shape());
    Npy scalar = Npy.read(file("scalar.npy"));
    assertArrayEquals(new float[] {2.5f}, scalar.values(), 0);
    assertEquals(0, scalar.sizes().length);
    assertThrows(ShapeException.class, scalar::shape);
    assertArrayEquals(new int[] {0, 3}, Npy.read(file("empty.npy")).sizes());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "half.npy|descr='<f2', shape=(2, 3, 4); need float32, float64, int32 or int64",
        "objects.npy|shape=(1,); need float32",
        "records.npy|need descr, fortran_order and shape of an array of numbers",
        "large.npy|value 1 is 16777217; need integers that float32 holds",
        "make.py|need a file of numpy.save",
      })
  void otherTypesAreRefused(String name, String fact) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> Npy.read(file(name))).getMessage();
    assertTrue(message.startsWith(file(name) + ": npy: "), message);
    assertTrue(message.contains(fact), message);
  }

  @Test
  void whatIsWrittenIsRead() throws IOException {
    Path path = folder.resolve("a.npy");
    for (int[] sizes : new int[][] {{}, {0}, {3}, {2, 3}, {2, 3, 4}, {100_000}}) {
      int count = Arrays.stream(sizes).reduce(1, (a, b) -> a * b);
      new Npy(sizes, quarters(count, 0.1f)).write(path);
      Npy read = Npy.read(path);
      assertArrayEquals(sizes, read.sizes());
      assertArrayEquals(quarters(count, 0.1f), read.values(), 0);
    }
    Npy.of(Shape.of(4, 3, 2), quarters(24, 0.25f)).write(path);
    assertArrayEquals(Npy.read(file("c32.npy")).values(), Npy.read(path).values(), 0);
    assertArrayEquals(new int[] {2, 3, 4}, Npy.read(path).sizes());
  }

  @Test
  void aNumberOfValuesThatDoesNotFitIsRefused() {
    for (int[] sizes : new int[][] {{2, 2}, {-1, -3}, {1 << 16, 1 << 16, 1 << 16, 1 << 16, 3}}) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> new Npy(sizes, new float[3]))
              .getMessage();
      assertTrue(message.contains("3 values; need as many as the sizes multiply to"), message);
    }
  }

  private Path written(String dictionary, int bytes) throws IOException {
    byte[] text = dictionary.getBytes(StandardCharsets.ISO_8859_1);
    ByteBuffer file = ByteBuffer.allocate(10 + text.length + bytes);
    file.put("\u0093NUMPY\1\0".getBytes(StandardCharsets.ISO_8859_1));
    file.put((byte) text.length).put((byte) (text.length >> 8)).put(text);
    return Files.write(folder.resolve("hostile.npy"), file.array());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'descr': '<f4', 'fortran_order': False, 'shape': (5,)}|16 bytes after the header; need 20",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}|16 bytes after the header; need 12",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2000000000,2000000000,9)}|fewer than 2⁶³",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296,)}|need float32",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-4,)}|need descr",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4)}|need float32",
        "{'descr': '<f4', 'fortran_order': '1', 'shape': (4,)}|fortran_order='1'; need True or False",
        "{'descr': True, 'fortran_order': False, 'shape': (4,)}|descr=True",
        "{'descr': '<f4', 'shape': (4,)}|once each",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (4,)}|once each",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), 'a': True}|once each",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }}|once each",
        "__import__('os').system('ls')|once each",
        "{|once each",
      })
  void aHeaderThatLiesIsRefused(String dictionary, String fact) throws IOException {
    Path path = written(dictionary, 16);
    String message =
        assertThrows(IllegalArgumentException.class, () -> Npy.read(path)).getMessage();
    assertTrue(message.startsWith(path + ": npy: ") && message.contains(fact), message);
  }

  @Test
  void aLongHeaderIsRefused() throws IOException {
    Path path = written("{" + " ".repeat(5000) + "}", 16);
    String message =
        assertThrows(IllegalArgumentException.class, () -> Npy.read(path)).getMessage();
    assertTrue(message.contains("a header of 5002 bytes"), message);
  }

  private static boolean isRead(Path path) {
    return assertTimeoutPreemptively(
        Duration.ofSeconds(20), // no run takes longer by itself; a bound, not a measurement
        () -> {
          try {
            Npy.read(path);
            return true;
          } catch (IllegalArgumentException | EOFException e) {
            return false;
          }
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"c32.npy", "fortran64.npy", "int64.npy", "second.npy"})
  void everyMutationIsReadOrRefused(String name) throws IOException {
    byte[] whole = Files.readAllBytes(file(name));
    Random random = new Random(14);
    Path path = folder.resolve(name);
    int refused = 0;
    for (int i = 0; i < MUTATIONS; i++) {
      byte[] mutant = whole.clone();
      for (int k = random.nextInt(3); k >= 0; k--) {
        mutant[random.nextInt(mutant.length)] = (byte) random.nextInt(256);
      }
      Files.write(path, mutant);
      refused += isRead(path) ? 0 : 1;
    }
    assertTrue(refused > 100, refused + " refused");
  }

  @Test
  void everyCutIsRefused() throws IOException {
    byte[] whole = Files.readAllBytes(file("c32.npy"));
    Path path = folder.resolve("cut.npy");
    for (int length = 0; length < whole.length; length++) {
      Files.write(path, Arrays.copyOf(whole, length));
      assertTrue(!isRead(path), length + " bytes");
    }
  }
}
