package io.recur.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag(Devices.CPU)
class TorchFileTest {
  private static final int MUTATIONS = 2_000;

  @TempDir private Path folder;

  @Test
  void bothFormatsHoldTheSameTensors() throws IOException {
    for (String name : List.of("zoo", "both", "types")) {
      try (StateDict pickled = TorchFiles.read(name + ".pt");
          StateDict plain = TorchFiles.read(name + ".safetensors")) {
        assertEquals(plain.tensors().keySet().size(), pickled.tensors().size());
        for (Map.Entry<String, StoredTensor> entry : plain.tensors().entrySet()) {
          StoredTensor twin = pickled.tensors().get(entry.getKey());
          assertEquals(entry.getValue().toString(), twin.toString(), entry.getKey());
          if (twin.dtype().isFloat()) {
            assertArrayEquals(entry.getValue().values(), twin.values(), entry.getKey());
          } else {
            assertArrayEquals(entry.getValue().integers(), twin.integers(), entry.getKey());
          }
        }
      }
    }
  }

  @Test
  void dictionariesInsideAreJoinedByDots() throws IOException {
    try (StateDict checkpoint = TorchFiles.read("checkpoint.pt")) {
      assertEquals(2, checkpoint.linear("model").matrix().rows());
      assertTrue(checkpoint.tensors().containsKey("optimizer.state.0.exp_avg"));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "module.pt|it refers to torch.nn.modules.linear.Linear|torch.save(model.state_dict(), path)",
        "strided.pt|sizes=[2, 3], strides=[1, 2]|save tensor.contiguous()",
        "legacy.pt|a file of PyTorch before 1.6|torch.save(model.state_dict(), path)",
        "script.pt|it is a TorchScript archive|torch.jit.load(path).state_dict()",
      })
  void whatIsNoStateDictionaryIsRefusedWithTheRemedy(String file, String fact, String remedy) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> TorchFiles.read(file)).getMessage();
    assertTrue(message.startsWith("torch: " + TorchFiles.file(file)), message);
    assertTrue(message.contains(fact) && message.contains(remedy), message);
  }

  // Damage.

  private interface Attempt {
    void on(StateDict weights) throws IOException;
  }

  /** Reads a file and every tensor in it; all but the documented errors fail the test. */
  private static boolean isRead(Path path, Attempt attempt) {
    return assertTimeoutPreemptively(
        Duration.ofSeconds(20), // no run takes longer by itself; a bound, not a measurement
        () -> {
          try (StateDict weights = StateDict.read(path)) {
            attempt.on(weights);
            return true;
          } catch (IllegalArgumentException | EOFException e) {
            return false;
          } catch (IOException e) {
            assertTrue(e.getMessage() != null, e.toString()); // of the zip archive
            return false;
          }
        });
  }

  private static void readAll(StateDict weights) throws IOException {
    for (StoredTensor tensor : weights.tensors().values()) {
      if (tensor.dtype().isFloat()) {
        tensor.values();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"types.pt", "checkpoint.pt", "types.safetensors"})
  void everyMutationIsReadOrRefused(String name) throws IOException {
    int refused = refused(TorchFiles.file(name), folder.resolve(name));
    assertTrue(refused > 100, refused + " refused");
  }

  @Test
  void everyMutationOfWhatWasWrittenIsReadOrRefused() throws IOException {
    Path written = folder.resolve("written.pt");
    try (StateDict weights = TorchFiles.read("types.pt")) {
      weights.save(written);
    }
    assertTrue(isRead(written, TorchFileTest::readAll));
    int refused = refused(written, folder.resolve("a.pt"));
    assertTrue(refused > 100, refused + " refused");
  }

  /** Writes mutations of a file to another one, and counts those that are refused. */
  private static int refused(Path original, Path file) throws IOException {
    byte[] whole = Files.readAllBytes(original);
    Random random = new Random(14);
    int refused = 0;
    for (int i = 0; i < MUTATIONS; i++) {
      byte[] mutant = whole.clone();
      for (int k = random.nextInt(3); k >= 0; k--) {
        mutant[random.nextInt(mutant.length)] = (byte) random.nextInt(256);
      }
      Files.write(file, mutant);
      refused += isRead(file, TorchFileTest::readAll) ? 0 : 1;
    }
    return refused;
  }

  @Test
  void everyMutationOfThePickleIsReadOrRefused() throws IOException {
    Map<String, byte[]> records = records("checkpoint.pt");
    byte[] pickle = records.get("checkpoint/data.pkl");
    Random random = new Random(15);
    Path file = folder.resolve("a.pt");
    int refused = 0;
    for (int i = 0; i < MUTATIONS; i++) {
      byte[] mutant = pickle.clone();
      for (int k = random.nextInt(3); k >= 0; k--) {
        mutant[random.nextInt(mutant.length)] = (byte) random.nextInt(256);
      }
      records.put("checkpoint/data.pkl", mutant);
      zip(file, records, ZipEntry.STORED);
      refused += isRead(file, TorchFileTest::readAll) ? 0 : 1;
    }
    assertTrue(refused > 500, refused + " refused");
  }

  @Test
  void everyCutIsRefused() throws IOException {
    byte[] whole = Files.readAllBytes(TorchFiles.file("checkpoint.pt"));
    Path file = folder.resolve("a.pt");
    for (int length = 0; length < whole.length; length += 7) {
      Files.write(file, java.util.Arrays.copyOf(whole, length));
      assertTrue(!isRead(file, TorchFileTest::readAll), length + " bytes");
    }
  }

  private static Map<String, byte[]> records(String name) throws IOException {
    Map<String, byte[]> records = new LinkedHashMap<>();
    try (var zip = new java.util.zip.ZipFile(TorchFiles.file(name).toFile())) {
      for (ZipEntry entry : java.util.Collections.list(zip.entries())) {
        records.put(entry.getName(), zip.getInputStream(entry).readAllBytes());
      }
    }
    return records;
  }

  private static void zip(Path file, Map<String, byte[]> records, int method) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, byte[]> entry : records.entrySet()) {
        ZipEntry stored = new ZipEntry(entry.getKey());
        stored.setMethod(method);
        CRC32 crc = new CRC32();
        crc.update(entry.getValue());
        stored.setCrc(crc.getValue());
        stored.setSize(entry.getValue().length);
        zip.putNextEntry(stored);
        zip.write(entry.getValue());
        zip.closeEntry();
      }
    }
    Files.write(file, bytes.toByteArray());
  }

  private String refusal(byte[] pickle, int method) throws IOException {
    Path file = folder.resolve("b.pt");
    zip(file, Map.of("b/data.pkl", pickle, "b/data/0", new byte[16]), method);
    return assertThrows(IllegalArgumentException.class, () -> StateDict.read(file)).getMessage();
  }

  @Test
  void aCompressedRecordIsRefused() throws IOException {
    String message = refusal(new byte[1 << 20], ZipEntry.DEFLATED);
    assertTrue(message.contains("compressed") && message.contains("to 1048576"), message);
  }

  private static String tensor(String storage, String offset, String sizes, String strides) {
    return "\u0080\2}X\1\0\0\0actorch._utils\n_rebuild_tensor_v2\n(" // {"a": tensor(
        + "(X\7\0\0\0storagectorch\nFloatStorage\n"
        + storage
        + "tQ"
        + offset
        + sizes
        + strides
        + "tRs.";
  }

  @Test
  void sizesThatLieAreRefused() throws IOException {
    String four = "X\1\0\0\0" + "0X\3\0\0\0cpuK\4";
    String five = "X\1\0\0\0" + "0X\3\0\0\0cpuK\5";
    String other = "X\1\0\0\0" + "1X\3\0\0\0cpuK\4";
    String up = "X\12\0\0\0" + "../../../0X\3\0\0\0cpuK\4";
    Map<String, String> wrong = new LinkedHashMap<>();
    wrong.put(tensor(five, "K\0", "K\4\u0085", "K\1\u0085"), "need them inside");
    wrong.put(tensor(four, "K\1", "K\4\u0085", "K\1\u0085"), "sizes=[4] at 1 of 4");
    wrong.put(tensor(four, "K\5", "K\0\u0085", "K\1\u0085"), "sizes=[0] at 5 of 4");
    wrong.put(tensor(four, "K\0", "J\0\0\0\u0080\u0085", "K\1\u0085"), "whole number from 0");
    wrong.put(tensor(four, "K\0", "\u008a\1\u00ff\u0085", "K\1\u0085"), "whole number from 0");
    wrong.put(tensor(four, "K\0", "M\0\u0080\u0085", "K\1\u0085"), "sizes=[32768]");
    wrong.put(tensor(four, "K\0", "K\4\u0085", ")"), "(storage, offset, sizes, strides)");
    String huge = "(\u008a\10" + "\0".repeat(7) + "\100".repeat(1) + "K\4K\4t";
    wrong.put(tensor(four, "K\0", huge, "(K\1K\1K\1t"), "need them inside");
    wrong.put(tensor(other, "K\0", "K\4\u0085", "K\1\u0085"), "b/data/1 is missing");
    wrong.put(tensor(up, "K\0", "K\4\u0085", "K\1\u0085"), "is missing");
    for (Map.Entry<String, String> entry : wrong.entrySet()) {
      byte[] pickle = entry.getKey().getBytes(StandardCharsets.ISO_8859_1);
      String message = refusal(pickle, ZipEntry.STORED);
      assertTrue(message.contains(entry.getValue()), message);
    }
    byte[] good =
        tensor(four, "K\0", "K\4\u0085", "K\1\u0085").getBytes(StandardCharsets.ISO_8859_1);
    Path file = folder.resolve("b.pt");
    zip(file, Map.of("b/data.pkl", good, "b/data/0", new byte[16]), ZipEntry.STORED);
    assertTrue(isRead(file, TorchFileTest::readAll));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "cos\\nsystem\\nX\\2\\0\\0\\0ls\\205R.|it refers to os.system; only tensors",
        "cbuiltins\\neval\\n.|builtins.eval",
        "}\\201.|opcode 0x81",
        "K\\1K\\1.|1 objects are left",
        "(.|an object is missing",
        "t.|a mark is missing",
        "h\\7.|object 7 is used",
        "X\\377\\377\\377\\377.|a text of 4294967295 bytes",
        "X\\1\\1\\1\\0.|a text of 65793 bytes",
        "\\200\\4.|protocol 4; need 2",
        "\\212\\377.|a number of 255 bytes",
        "}(K\\1u.|1 items for what is no dictionary",
        "}}K\\1s.|neither text nor a whole number",
        "K\\1K\\2a.|no list",
        "K\\1K\\2R.|a call of what is no function",
        "ccollections\\nOrderedDict\\nK\\1\\205R.|an OrderedDict of 1 arguments",
        "ctorch\\nFloatStorage\\n)R.|a call of torch.FloatStorage",
        "K\\1Q.|a storage that is not",
        "K\\1}b.|attributes of what is no dictionary",
        "K\\1.|it holds no dictionary",
        "}X\\1\\0\\0\\0a}q\\0X\\1\\0\\0\\0ah\\0ss.|need at most 32 levels",
        "}|the pickle is cut off",
      })
  void everythingElseInAPickleIsRefused(String text, String fact) throws IOException {
    String pickle = text.translateEscapes();
    String message = refusal(pickle.getBytes(StandardCharsets.ISO_8859_1), ZipEntry.STORED);
    assertTrue(message.contains(fact), message);
  }

  /** Lists of the same two lists, thirty levels deep: 2³⁰ objects in 200 bytes. */
  @Test
  void aPickleThatMultipliesIsRefused() throws IOException {
    StringBuilder pickle = new StringBuilder("}X\1\0\0\0a](" + ")q\0");
    for (int level = 0; level < 29; level++) {
      pickle
          .append("h")
          .append((char) level)
          .append("h")
          .append((char) level)
          .append("\u0086q")
          .append((char) (level + 1));
    }
    String message =
        refusal(
            pickle.append("es.").toString().getBytes(StandardCharsets.ISO_8859_1), ZipEntry.STORED);
    assertTrue(message.contains("need at most 32 levels and 1000000 objects"), message);
  }

  // Several files.

  private Path index(String... lines) throws IOException {
    Path index = folder.resolve("model.safetensors.index.json");
    return Files.writeString(
        index,
        "{\"metadata\":{\"total_size\":1},\"weight_map\":{" + String.join(",", lines) + "}}");
  }

  @Test
  void anIndexNamesTheFileOfEachTensor() throws IOException {
    for (String name : List.of("a", "b")) {
      StoredTensor tensor = new StoredTensor(new int[] {2, 1}, new float[] {1, 2});
      new Safetensors(Map.of(), Map.of(name + ".weight", tensor)).write(folder.resolve(name));
    }
    Path good = index("\"a.weight\":\"a\"", "\"b.weight\":\"b\"");
    try (StateDict weights = StateDict.read(good)) {
      assertEquals(2, weights.linear("a").matrix().columns());
      assertThrows(IllegalArgumentException.class, weights::requireAllMapped);
      weights.linear("b");
      weights.requireAllMapped();
    }
    Path missing = index("\"a.weight\":\"a\"", "\"c.weight\":\"b\"");
    String message =
        assertThrows(IllegalArgumentException.class, () -> StateDict.read(missing)).getMessage();
    assertTrue(message.contains("c.weight of b"), message);
  }

  @Test
  void everyMutationOfAnIndexIsReadOrRefused() throws IOException {
    for (String name : List.of("a", "b")) {
      StoredTensor tensor = new StoredTensor(new int[] {2, 1}, new float[] {1, 2});
      new Safetensors(Map.of(), Map.of(name + ".weight", tensor)).write(folder.resolve(name));
    }
    int refused =
        refused(index("\"a.weight\":\"a\"", "\"b.weight\":\"b\""), folder.resolve("i.json"));
    assertTrue(refused > MUTATIONS / 2, refused + " refused");
  }

  @ParameterizedTest
  @ValueSource(strings = {"\"../a\"", "\"/etc/passwd\"", "\"..\"", "\"\"", "3", "\"a\\\\b\""})
  void anIndexStaysInItsFolder(String file) throws IOException {
    Path index = index("\"a.weight\":" + file);
    String message =
        assertThrows(IllegalArgumentException.class, () -> StateDict.read(index)).getMessage();
    assertTrue(message.contains("need the name of a file in the same folder"), message);
  }
}
