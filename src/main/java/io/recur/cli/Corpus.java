package io.recur.cli;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * The text to learn.
 *
 * @param name where it is from, for a person
 * @param text the characters
 */
record Corpus(String name, String text) {
  private static final String PACKAGE = "java.base/java/util/";

  /**
   * Files joined in the given order; of a folder all files in it and below, by name.
   *
   * @throws IllegalArgumentException if a file is not UTF-8 or all are empty
   */
  static Corpus of(List<Path> paths) throws IOException {
    StringBuilder text = new StringBuilder();
    for (Path path : paths) {
      for (Path file : files(path)) {
        text.append(decode(file.toString(), Files.readAllBytes(file)));
      }
    }
    if (text.isEmpty()) {
      throw new IllegalArgumentException(paths + ": the text is empty; there is nothing to learn");
    }
    return new Corpus(
        String.join(", ", paths.stream().map(Path::toString).toList()), text.toString());
  }

  private static List<Path> files(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      return List.of(path);
    }
    try (Stream<Path> inside = Files.walk(path)) {
      return inside.filter(Files::isRegularFile).sorted().toList();
    }
  }

  private static String decode(String name, byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException(
          name + ": not UTF-8 text (" + e.getMessage() + "); convert it or leave it out", e);
    }
  }

  /** Java: the JDK's own {@code java.util}, or where the JDK has no sources, this project's. */
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

  /** {@code src/main/java} beside the folder that the jar lies in. */
  private static Path ownSources() {
    try {
      Path jar = Path.of(Corpus.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      Path root = jar.toAbsolutePath().getParent().getParent();
      return root.resolve("src/main/java");
    } catch (URISyntaxException e) {
      return Path.of("src/main/java");
    }
  }

  /** Tells whether another text is this one. */
  String digest() {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(sha.digest(text.getBytes(StandardCharsets.UTF_8)), 0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this JVM has no SHA-256", e);
    }
  }
}
