package io.recur.io;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * Open files with tensors of PyTorch: one, or several that an index names. What the first bytes are
 * decides how a file is read, not its name.
 *
 * @param tensors all of them by name
 */
record TorchSource(Map<String, StoredTensor> tensors, List<Closeable> files) implements Closeable {
  private static final int LARGEST_INDEX = 100_000_000;
  private static final int FIRST_BYTES = 10;

  static TorchSource open(Path path) throws IOException {
    TorchSource source = new TorchSource(new LinkedHashMap<>(), new ArrayList<>());
    try {
      if (isIndex(first(path))) {
        source.openShards(path);
      } else {
        source.tensors.putAll(source.openOne(path));
      }
      return source;
    } catch (IOException | RuntimeException | Error e) {
      try (source) {
        throw e;
      }
    }
  }

  private static byte[] first(Path path) throws IOException {
    if (!Files.readAttributes(path, BasicFileAttributes.class).isRegularFile()) {
      throw new FileSystemException(path.toString(), null, "it is no regular file");
    }
    try (InputStream in = Files.newInputStream(path)) {
      return in.readNBytes(FIRST_BYTES);
    }
  }

  /** A header of safetensors has its opening brace at byte 8, and a length before it. */
  private static boolean isIndex(byte[] first) {
    boolean isSafetensors = first.length > 9 && first[8] == '{' && first[7] == 0;
    return first.length > 0 && first[0] == '{' && !isSafetensors;
  }

  private Map<String, StoredTensor> openOne(Path path) throws IOException {
    byte[] first = first(path);
    if (first.length > 1 && first[0] == 'P' && first[1] == 'K') {
      return openZip(path);
    }
    if (first.length > 1 && first[0] == (byte) 0x80 && first[1] == 2) {
      throw new IllegalArgumentException(
          "torch: %s: a file of PyTorch before 1.6; load it there and save it again:"
                  .formatted(path)
              + " torch.save(model.state_dict(), path)");
    }
    Safetensors file = Safetensors.read(path);
    files.add(file::close);
    return file.tensors();
  }

  private Map<String, StoredTensor> openZip(Path path) throws IOException {
    try {
      ZipFile zip = new ZipFile(path.toFile());
      files.add(zip);
      return TorchFile.tensors(path, zip);
    } catch (ZipException e) {
      throw new IllegalArgumentException(
          "torch: %s: zip: %s; the file is damaged".formatted(path, e.getMessage()), e);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "torch: %s: %s".formatted(path, e.getMessage().replaceFirst("^torch: ", "")), e);
    }
  }

  private void openShards(Path path) throws IOException {
    if (Files.size(path) > LARGEST_INDEX) {
      throw new IllegalArgumentException(
          "torch: %s: an index of %d bytes; need at most %d"
              .formatted(path, Files.size(path), LARGEST_INDEX));
    }
    Map<String, String> shards = shards(path);
    Map<String, Map<String, StoredTensor>> open = new LinkedHashMap<>();
    Set<String> missing = new LinkedHashSet<>();
    for (Map.Entry<String, String> entry : shards.entrySet()) {
      String shard = entry.getValue();
      if (!open.containsKey(shard)) {
        open.put(shard, openOne(path.resolveSibling(shard)));
      }
      StoredTensor tensor = open.get(shard).get(entry.getKey());
      if (tensor == null) {
        missing.add(PlainJson.shown(entry.getKey()) + " of " + shard);
      } else {
        tensors.put(entry.getKey(), tensor);
      }
    }
    if (!missing.isEmpty()) {
      throw new IllegalArgumentException(
          "torch: %s: tensors are in the index and not in their files: %s; get all files again"
              .formatted(path, TorchModule.listed(missing)));
    }
  }

  /** The file of each tensor: a plain name, so that an index cannot point to another folder. */
  private static Map<String, String> shards(Path path) throws IOException {
    try {
      Map<String, Object> index = PlainJson.read(Files.readAllBytes(path));
      Map<String, String> shards = new LinkedHashMap<>();
      Object map = index.getOrDefault("weight_map", "nothing");
      for (Map.Entry<String, Object> entry : PlainJson.object("weight_map", map).entrySet()) {
        if (!(entry.getValue() instanceof String shard)
            || shard.isEmpty()
            || Arrays.asList(".", "..").contains(shard)
            || shard.chars().anyMatch(c -> c == '/' || c == '\\' || c == ':' || c < ' ')) {
          throw new IllegalArgumentException(
              "weight_map: %s=%s; need the name of a file in the same folder"
                  .formatted(
                      PlainJson.shown(entry.getKey()),
                      PlainJson.shown(String.valueOf(entry.getValue()))));
        }
        shards.put(entry.getKey(), shard);
      }
      return shards;
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("torch: %s: index: %s".formatted(path, e.getMessage()), e);
    }
  }

  @Override
  public void close() throws IOException {
    IOException failed = null;
    for (Closeable file : files) {
      try {
        file.close();
      } catch (IOException e) {
        failed = e;
      }
    }
    if (failed != null) {
      throw failed;
    }
  }
}
