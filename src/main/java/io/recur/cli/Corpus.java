package io.recur.cli;

import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * The text to learn.
 *
 * @param name where the text is from, for messages
 * @param text the characters
 */
record Corpus(String name, String text) {
  private static final String PACKAGE = "java.base/java/util/";
  private static final Path STANDARD_INPUT = Path.of("-");
  private static final int MOST_BYTES = Integer.MAX_VALUE - 64; // about the longest array of a JVM
  private static final char BYTE_ORDER_MARK = '\uFEFF';

  /**
   * Joins files in the given order. A folder stands for all files in it and below, by name; {@code
   * -} stands for standard input. A byte order mark at the beginning of a file is dropped.
   *
   * @throws IllegalArgumentException if a file is not UTF-8, or if the files together are empty or
   *     too large
   */
  static Corpus of(List<Path> paths) throws IOException {
    List<Path> files = new ArrayList<>();
    for (Path path : paths) {
      files.addAll(files(path));
    }
    long bytes = 0;
    for (Path file : files) {
      bytes += Files.isRegularFile(file) ? Files.size(file) : 0;
      if (bytes > MOST_BYTES) {
        throw tooLarge(file.toString(), "bytes=" + bytes);
      }
    }
    StringBuilder text = new StringBuilder();
    for (Path file : files) {
      text.append(decode(name(file), read(file, MOST_BYTES - text.length())));
    }
    String names = String.join(", ", paths.stream().map(Corpus::name).toList());
    if (text.isEmpty()) {
      throw new IllegalArgumentException(names + ": the text is empty; there is nothing to learn");
    }
    return new Corpus(names, text.toString());
  }

  private static String name(Path path) {
    return path.equals(STANDARD_INPUT) ? "standard input" : path.toString();
  }

  private static List<Path> files(Path path) throws IOException {
    if (path.equals(STANDARD_INPUT) || !Files.isDirectory(path)) {
      return List.of(path);
    }
    try (Stream<Path> inside = Files.walk(path)) {
      return inside.filter(Files::isRegularFile).sorted().toList();
    }
  }

  /** Reads a file, pipe or device to its end, but at most {@code most} bytes. */
  private static byte[] read(Path file, int most) throws IOException {
    try (InputStream in = file.equals(STANDARD_INPUT) ? System.in : Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(most);
      if (bytes.length == most && in.read() >= 0) {
        throw tooLarge(name(file), "bytes>" + most);
      }
      return bytes;
    }
  }

  private static IllegalArgumentException tooLarge(String name, String bytes) {
    return new IllegalArgumentException(
        "%s: %s with what is before it; a text is one array, %d bytes at most: give a part of it"
            .formatted(name, bytes, MOST_BYTES));
  }

  private static String decode(String name, byte[] bytes) {
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CharBuffer text = CharBuffer.allocate(bytes.length); // no character takes less than a byte
    if (StandardCharsets.UTF_8.newDecoder().decode(in, text, true).isError()) {
      throw notText(name, bytes, in.position());
    }
    text.flip();
    if (text.length() > 0 && text.charAt(0) == BYTE_ORDER_MARK) {
      text.get();
    }
    return text.toString();
  }

  private static IllegalArgumentException notText(String name, byte[] bytes, int place) {
    int line = 1;
    for (int i = 0; i < place; i++) {
      line += bytes[i] == '\n' ? 1 : 0;
    }
    return new IllegalArgumentException(
        "%s: not UTF-8 text: byte 0x%02X at offset %d, line %d; convert it, for instance with iconv, or leave it out"
            .formatted(name, bytes[place], place, line));
  }

  /** {@return Java sources: the JDK's {@code java.util}, else this project's own} */
  static Corpus java() throws IOException {
    Path zip = Path.of(System.getProperty("java.home"), "lib", "src.zip");
    if (Files.isRegularFile(zip)) {
      return new Corpus(zip + ", " + PACKAGE + "*.java", utilities(zip));
    }
    Path sources = ownSources();
    if (Files.isDirectory(sources)) {
      return of(List.of(sources));
    }
    throw new IllegalArgumentException(
        "no text: the JDK has no %s and there is no %s; name a text with --text FILE"
            .formatted(zip, sources));
  }

  private static String utilities(Path zip) throws IOException {
    StringBuilder text = new StringBuilder();
    try (ZipFile file = new ZipFile(zip.toFile())) {
      List<? extends ZipEntry> entries =
          file.stream()
              .filter(entry -> entry.getName().startsWith(PACKAGE))
              .filter(entry -> entry.getName().endsWith(".java"))
              .filter(entry -> entry.getName().indexOf('/', PACKAGE.length()) < 0)
              .sorted(Comparator.comparing(ZipEntry::getName))
              .toList();
      for (ZipEntry entry : entries) {
        text.append(decode(entry.getName(), file.getInputStream(entry).readAllBytes()));
      }
    }
    return text.toString();
  }

  /** {@return {@code src/main/java} beside the jar's folder} */
  private static Path ownSources() {
    try {
      Path jar = Path.of(Corpus.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      Path root = jar.toAbsolutePath().getParent().getParent();
      return root.resolve("src/main/java");
    } catch (URISyntaxException e) {
      return Path.of("src/main/java");
    }
  }

  /** {@return 128 bits of the text's SHA-256, to compare it with another text} */
  String digest() {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(sha.digest(text.getBytes(StandardCharsets.UTF_8)), 0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this JVM has no SHA-256", e);
    }
  }
}
