package io.recur.io;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;

/**
 * A file that {@code torch.save} wrote: a zip archive that holds a pickle, {@code data.pkl}, and
 * one record of bytes per storage. Records are stored, never compressed, so no record is larger
 * than the file.
 */
final class TorchFile {
  private static final String PICKLE = "/data.pkl";
  private static final long LARGEST_PICKLE = 100_000_000;
  private static final int DEPTH = 32;

  /** The most objects that are visited; a pickle may hold one object many times. */
  private static final int MOST_VISITED = 1_000_000;

  private final Path path;
  private final ZipFile zip;
  private final String archive;
  private final Map<String, StoredTensor> tensors = new LinkedHashMap<>();
  private int visited;

  private TorchFile(Path path, ZipFile zip) {
    this.path = path;
    this.zip = zip;
    this.archive = archive(zip);
  }

  /**
   * Finds all tensors, also those in dictionaries and lists inside: their names are joined by dots.
   *
   * @param zip an open archive, from which the tensors are read later
   * @return the tensors in the file's order
   * @throws IllegalArgumentException if the file is damaged, or holds more than tensors, numbers,
   *     text, lists and dictionaries
   */
  static Map<String, StoredTensor> tensors(Path path, ZipFile zip) throws IOException {
    try {
      TorchFile file = new TorchFile(path, zip);
      file.checkByteOrder();
      byte[] pickle = file.bytes(file.archive + PICKLE, LARGEST_PICKLE);
      Object root = Pickle.read(pickle);
      if (!(root instanceof Map)) {
        throw wrong("it holds no dictionary; save one: torch.save(model.state_dict(), path)");
      }
      file.visit("", root, 0);
      return file.tensors;
    } catch (ZipException e) {
      throw new IllegalArgumentException("zip: " + e.getMessage() + "; the file is damaged", e);
    }
  }

  private static String archive(ZipFile zip) {
    List<String> found = new ArrayList<>();
    zip.stream()
        .map(ZipEntry::getName)
        .filter(name -> name.endsWith(PICKLE) && name.indexOf('/') == name.length() - 9)
        .forEach(found::add);
    if (found.size() != 1) {
      throw wrong(
          "%d records data.pkl in the zip archive; need one: it is no file of torch.save, or damaged",
          found.size());
    }
    String archive = found.getFirst().substring(0, found.getFirst().length() - PICKLE.length());
    if (zip.getEntry(archive + "/constants.pkl") != null) {
      throw wrong(
          "it is a TorchScript archive; save the weights alone:"
              + " torch.save(torch.jit.load(path).state_dict(), path)");
    }
    return archive;
  }

  private void checkByteOrder() throws IOException {
    if (zip.getEntry(archive + "/byteorder") != null) {
      String order = new String(bytes(archive + "/byteorder", 16), StandardCharsets.UTF_8);
      if (!order.equals("little")) {
        throw wrong("byteorder=%s; need little, save it on such a machine", PlainJson.shown(order));
      }
    }
  }

  private ZipEntry entry(String name, String why) {
    ZipEntry entry = zip.getEntry(name);
    if (entry == null) {
      throw wrong("the record %s is missing%s; the file is damaged", PlainJson.shown(name), why);
    }
    if (entry.getMethod() != ZipEntry.STORED || entry.getSize() != entry.getCompressedSize()) {
      throw wrong(
          "the record %s is compressed, of %d bytes to %d; need records as torch.save stores them",
          PlainJson.shown(name), entry.getCompressedSize(), entry.getSize());
    }
    return entry;
  }

  private byte[] bytes(String name, long most) throws IOException {
    ZipEntry entry = entry(name, "");
    if (entry.getSize() > most) {
      throw wrong("the record %s has %d bytes; need at most %d", name, entry.getSize(), most);
    }
    try (InputStream in = zip.getInputStream(entry)) {
      byte[] bytes = in.readNBytes((int) entry.getSize());
      if (bytes.length != entry.getSize()) {
        throw wrong("the record %s is cut off; the file is damaged", PlainJson.shown(name));
      }
      return bytes;
    }
  }

  private void visit(String name, Object value, int depth) {
    if (depth > DEPTH || ++visited > MOST_VISITED) {
      throw wrong(
          "%s: dictionaries within dictionaries; need at most %d levels and %d objects",
          PlainJson.shown(name), DEPTH, MOST_VISITED);
    }
    if (value instanceof Map<?, ?> map) {
      map.forEach((key, inner) -> visit(joined(name, key), inner, depth + 1));
    } else if (value instanceof List<?> list) {
      for (int i = 0; i < list.size(); i++) {
        visit(joined(name, i), list.get(i), depth + 1);
      }
    } else if (value instanceof Pickle.Array array
        && tensors.put(name, tensor(name, array)) != null) {
      throw wrong("two tensors are named %s; rename a dictionary", PlainJson.shown(name));
    }
  }

  private static String joined(String name, Object key) {
    return name.isEmpty() ? String.valueOf(key) : name + "." + key;
  }

  private StoredTensor tensor(String name, Pickle.Array array) {
    Pickle.Storage storage = array.storage();
    ZipEntry entry =
        entry(archive + "/data/" + storage.key(), ", which holds " + PlainJson.shown(name));
    int size = storage.dtype().bits() / 8;
    long bytes = Header.bytes(storage.dtype(), array.sizes());
    if (storage.count() > entry.getSize() / size
        || bytes < 0
        || array.offset() > storage.count()
        || bytes / size > storage.count() - array.offset()) {
      throw wrong(
          "tensor %s: sizes=%s at %d of %d elements in a record of %d bytes; need them inside",
          PlainJson.shown(name),
          TorchNames.shown(array.sizes()),
          array.offset(),
          storage.count(),
          entry.getSize());
    }
    checkStrides(name, array);
    Values values = new Values.InZip(zip, entry, array.offset() * size);
    String where = "torch: %s: tensor %s".formatted(path, PlainJson.shown(name));
    return new StoredTensor(where, storage.dtype(), Header.reversed(array.sizes()), values, null);
  }

  private static void checkStrides(String name, Pickle.Array array) {
    long need = 1;
    for (int i = array.sizes().length - 1; i >= 0; i--) {
      long size = array.sizes()[i];
      if (size == 0) {
        return;
      }
      if (size > 1 && array.strides()[i] != need) {
        throw wrong(
            "tensor %s: sizes=%s, strides=%s; need it contiguous: save tensor.contiguous()",
            PlainJson.shown(name),
            TorchNames.shown(array.sizes()),
            TorchNames.shown(array.strides()));
      }
      need *= size;
    }
  }

  private static IllegalArgumentException wrong(String message, @Nullable Object... values) {
    return new IllegalArgumentException("torch: " + message.formatted(values));
  }
}
