package io.recur.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/** What a file is. Its first bytes decide, not its name, which only ONNX's files need. */
enum FileKind {
  /** Of Recur, or a state dictionary of PyTorch. */
  SAFETENSORS,
  /** What {@code torch.save} writes. */
  TORCH,
  /** The names of several files of safetensors, in JSON. */
  INDEX,
  /** What Keras 3 writes. */
  KERAS,
  /** Weights of Keras, or a model of Keras 2. */
  HDF5,
  /** A graph. */
  ONNX;

  private static final int FIRST_BYTES = 10;

  /**
   * Looks at a file.
   *
   * @throws IOException if it cannot be read, or is a folder
   */
  static FileKind of(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      throw new FileSystemException(path.toString(), null, "it is a folder; name a file");
    }
    String first = first(path);
    if (first.startsWith("PK")) {
      return isKeras(path) ? KERAS : TORCH;
    }
    if (first.startsWith("\u0089HDF")) {
      return HDF5;
    }
    if (first.startsWith("\u0080\2")) {
      return TORCH;
    }
    boolean isSafetensors = first.length() == FIRST_BYTES && first.startsWith("\0{", 7);
    if (!isSafetensors && first.startsWith("{")) {
      return INDEX;
    }
    boolean isGraph =
        first.startsWith("\b") || path.toString().toLowerCase(Locale.ROOT).endsWith(".onnx");
    return isGraph && !isSafetensors ? ONNX : SAFETENSORS; // whose reader says what is wrong
  }

  private static String first(Path path) throws IOException {
    try (InputStream in = Files.newInputStream(path)) {
      return new String(in.readNBytes(FIRST_BYTES), StandardCharsets.ISO_8859_1);
    }
  }

  private static boolean isKeras(Path path) throws IOException {
    try (ZipFile zip = new ZipFile(path.toFile())) {
      return zip.getEntry("config.json") != null;
    } catch (ZipException e) {
      return false; // the reader of the other kind says what is wrong
    }
  }
}
