package io.recur.io;

import io.recur.io.files.WholeFile;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.Locale;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Writes a state dictionary as PyTorch reads it: safetensors, or what {@code torch.save} writes, a
 * zip archive of stored records with a pickle of protocol 2. The pickle refers to what {@code
 * torch.load(path, weights_only=True)} knows and to nothing else.
 */
final class TorchWriter {
  /** What the readers of safetensors in Python look for. */
  private static final Map<String, String> FORMAT = Map.of("format", "pt");

  private static final String ARCHIVE = "archive/";

  /** The bytes of a record begin at a multiple of this, for {@code torch.load(…, mmap=True)}. */
  private static final int ALIGNMENT = 64;

  /** The bytes of a record's header in the archive before its name. */
  private static final int RECORD_HEADER = 30;

  private static final int FIELD_HEADER = 4;

  /** The same bytes whenever a file is written. */
  private static final LocalDateTime TIME = LocalDateTime.of(2000, 1, 1, 0, 0);

  private TorchWriter() {}

  /**
   * Writes a file of the kind that its name says.
   *
   * @throws IOException if it cannot be written; an old file is then unchanged
   * @throws IllegalArgumentException if PyTorch has no storage for an element type; nothing is then
   *     written
   */
  static void write(Path target, Map<String, StoredTensor> tensors) throws IOException {
    String name = target.toString().toLowerCase(Locale.ROOT);
    if (name.endsWith(".pt") || name.endsWith(".pth")) {
      byte[] pickle = pickle(tensors);
      WholeFile.write(target, out -> writeZip(out, pickle, tensors));
    } else {
      new Safetensors(FORMAT, tensors).write(target);
    }
  }

  /** An ordered dictionary from names to tensors, each with a storage of its own. */
  private static byte[] pickle(Map<String, StoredTensor> tensors) {
    PickleText text = new PickleText().add("\u0080\2").call(Pickle.DICTIONARY).add("(");
    int key = 0;
    for (Map.Entry<String, StoredTensor> entry : tensors.entrySet()) {
      StoredTensor tensor = entry.getValue();
      String storage = Pickle.storage(tensor.dtype());
      if (storage == null) {
        throw new IllegalArgumentException(
            "torch: tensor %s is %s, which a file of torch.save has no storage for; write safetensors"
                .formatted(PlainJson.shown(entry.getKey()), tensor.dtype()));
      }
      long[] sizes = Header.reversed(tensor.dimensions());
      text.text(entry.getKey()).global(Pickle.TENSOR).add("((").text("storage");
      text.global(storage).text(Integer.toString(key++)).text("cpu");
      text.number(tensor.count()).add("tQ").number(0).numbers(sizes).numbers(strides(sizes));
      text.add("\u0089").call(Pickle.DICTIONARY).add("tR"); // no gradient, no hooks
    }
    return text.add("u.").bytes();
  }

  private static long[] strides(long[] sizes) {
    long[] strides = new long[sizes.length];
    long stride = 1;
    for (int i = sizes.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride *= Math.max(1, sizes[i]);
    }
    return strides;
  }

  private static void writeZip(FileChannel out, byte[] pickle, Map<String, StoredTensor> tensors)
      throws IOException {
    try (ZipOutputStream zip = new ZipOutputStream(new Unclosed(out))) {
      store(zip, out, "data.pkl", bytes(pickle), pickle.length);
      byte[] little = "little".getBytes(StandardCharsets.US_ASCII);
      store(zip, out, "byteorder", bytes(little), little.length);
      int key = 0;
      for (StoredTensor tensor : tensors.values()) {
        store(zip, out, "data/" + key++, tensor::windows, tensor.bytes());
      }
      byte[] version = "3\n".getBytes(StandardCharsets.US_ASCII);
      store(zip, out, "version", bytes(version), version.length);
    }
  }

  /** Passes on all bytes in order. */
  private interface Content {
    void windows(Values.Windows windows) throws IOException;
  }

  private static Content bytes(byte[] bytes) {
    return windows -> windows.take(0, ByteBuffer.wrap(bytes));
  }

  /** Reads the content twice: a stored record begins with its checksum. */
  private static void store(
      ZipOutputStream zip, FileChannel out, String name, Content content, long bytes)
      throws IOException {
    CRC32 crc = new CRC32();
    content.windows((at, window) -> crc.update(window));
    ZipEntry entry = new ZipEntry(ARCHIVE + name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(bytes);
    entry.setCrc(crc.getValue());
    entry.setTimeLocal(TIME);
    zip.flush();
    entry.setExtra(padding(out.position() + RECORD_HEADER + entry.getName().length()));
    zip.putNextEntry(entry);
    content.windows(
        (at, window) ->
            zip.write(
                window.array(), window.arrayOffset() + window.position(), window.remaining()));
    zip.closeEntry();
  }

  /** A field without a meaning, PyTorch's "FB", so that what follows it is aligned. */
  private static byte[] padding(long at) {
    int length = Math.floorMod(-(at + FIELD_HEADER), ALIGNMENT);
    return ByteBuffer.allocate(FIELD_HEADER + length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put((byte) 'F')
        .put((byte) 'B')
        .putShort((short) length)
        .array();
  }

  /** Does not close the file, which {@link WholeFile} forces to the disk. */
  private static final class Unclosed extends BufferedOutputStream {
    Unclosed(FileChannel channel) {
      super(Channels.newOutputStream(channel), Values.WINDOW);
    }

    @Override
    public void close() throws IOException {
      flush();
    }
  }
}
