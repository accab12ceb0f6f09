package io.recur.io.onnx;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/**
 * Models of one recurrent node with inputs and outputs, which {@code make.py} under {@code
 * src/test/resources/onnx/recurrent} made.
 *
 * @param name of the test
 * @param model the file
 * @param inputs by name
 * @param outputs by name
 */
record Cases(String name, byte[] model, Map<String, Value> inputs, Map<String, Value> outputs) {
  /** Reads an archive of recurrent nodes. */
  static List<Cases> of(String archive) {
    return in("recurrent/" + archive);
  }

  /** Reads an archive below {@code src/test/resources/onnx}. */
  static List<Cases> in(String archive) {
    Map<String, byte[]> files = new LinkedHashMap<>();
    try (InputStream in = Cases.class.getResourceAsStream("/onnx/" + archive);
        ZipInputStream zip = new ZipInputStream(in)) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        files.put(entry.getName(), zip.readAllBytes());
      }
      List<Cases> cases = new ArrayList<>();
      for (String file : files.keySet()) {
        if (file.endsWith(".onnx")) {
          String name = file.substring(0, file.length() - ".onnx".length());
          cases.add(of(name, files.get(file), files.get(name + ".data")));
        }
      }
      return cases;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Cases of(String name, byte[] model, byte[] data) throws IOException {
    Map<String, Value> inputs = new LinkedHashMap<>();
    Map<String, Value> outputs = new LinkedHashMap<>();
    ExternalData none = new ExternalData(Path.of("nowhere"));
    Map<String, Value> all = ModelReader.read(ByteBuffer.wrap(data), none).initialisers();
    all.forEach(
        (key, value) -> {
          String port = key.substring(key.indexOf('/') + 1);
          (key.startsWith("in/") ? inputs : outputs).put(port, value);
        });
    return new Cases(name, model, inputs, outputs);
  }

  static Cases named(String archive, String name) {
    return of(archive).stream().filter(it -> it.name.equals(name)).findFirst().orElseThrow();
  }

  /** The model in a file. */
  Path file(Path folder) throws IOException {
    return Files.write(folder.resolve(name + ".onnx"), model);
  }

  @Override
  public String toString() {
    return name;
  }
}
