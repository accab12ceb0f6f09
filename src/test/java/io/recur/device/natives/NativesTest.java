package io.recur.device.natives;

import static io.recur.device.natives.NativeChild.ACCESS;
import static io.recur.device.natives.NativeChild.classPath;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.recur.device.Devices;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The loading of natives as a user meets it, each time in a JVM of its own. */
@Tag(Devices.CPU)
class NativesTest {
  @TempDir private Path folder;
  private Path cache;
  private Path temporary;
  private Path file;

  @BeforeEach
  void makeFolders() throws IOException {
    cache = folder.resolve("cache");
    temporary = Files.createDirectory(folder.resolve("tmp"));
    file = Files.writeString(folder.resolve("file"), "no folder");
  }

  private NativeChild child(Path cacheFolder, String... arguments) throws IOException {
    return NativeChild.start(
        folder, List.of(), classPath(), options(cacheFolder.toString(), temporary), arguments);
  }

  private static List<String> options(String cacheFolder, Path temporaryFolder) {
    return List.of(
        ACCESS, "-Dio.recur.cache=" + cacheFolder, "-Djava.io.tmpdir=" + temporaryFolder);
  }

  /** The unpacked libraries by their names, without what is in folders of other things. */
  private static Map<String, Path> libraries(Path below) throws IOException {
    Map<String, Path> found = new TreeMap<>();
    try (Stream<Path> paths = Files.walk(below)) {
      paths
          .filter(path -> path.getFileName().toString().startsWith("lib"))
          .forEach(
              path -> found.put(path.getFileName().toString().replaceFirst("\\..*", ""), path));
    }
    return found;
  }

  private static List<Path> begun(Path below, String prefix) throws IOException {
    try (Stream<Path> paths = Files.walk(below)) {
      return paths.filter(path -> path.getFileName().toString().startsWith(prefix)).toList();
    }
  }

  private static void onlyWhereFilesHaveModes() {
    assumeTrue(
        Path.of("").getFileSystem().supportedFileAttributeViews().contains("unix"),
        "files have no modes here");
  }

  private static void onlyOnLinux() {
    assumeTrue(Bundle.platform().startsWith("linux"), "OpenBLAS is one file here");
  }

  @Test
  void aCacheThatCannotBeMadeIsReplacedByAPrivateFolderThatGoes() throws Exception {
    String printed = child(file.resolve("cache")).opened();
    assertTrue(printed.contains("the cache cannot be used: "), printed);
    assertTrue(printed.contains(file.toString()), printed);
    assertTrue(printed.contains("-Dio.recur.cache=FOLDER"), printed);
    assertEquals(List.of(), begun(temporary, "recur-"));
  }

  @Test
  void withoutAFolderEachAttemptNamesBothUntilOneSucceeds() throws Exception {
    Path blocked = Files.writeString(folder.resolve("blocked"), "no folder");
    NativeChild child =
        NativeChild.start(
            folder,
            List.of(),
            classPath(),
            options(file.resolve("cache").toString(), blocked),
            blocked.toString());
    String printed = child.end();
    List<String> refused = printed.lines().filter(s -> s.startsWith("refused ")).toList();
    assertEquals(2, refused.size(), printed);
    assertEquals(refused.get(0), refused.get(1));
    for (String word :
        List.of(
            "refused openblas: cannot be opened: ",
            file.toString(),
            "; nor from a private folder: ",
            blocked.toString(),
            "name a writable folder with -Dio.recur.cache=FOLDER")) {
      assertTrue(refused.get(0).contains(word), "no '" + word + "' in: " + printed);
    }
    assertEquals(1, NativeChild.count(printed, "opened cpu (OpenBLAS"), printed);
  }

  @Test
  void anotherThreadMayLoadTheLibrariesMeanwhile() throws Exception {
    String printed = child(cache, "beside").opened();
    assertEquals(1, NativeChild.count(printed, "loaded"), printed);
    assertEquals(1, begun(cache, "libopenblas").size());

    Path blocked = Files.writeString(folder.resolve("blocked"), "no folder");
    List<String> options = options(file.resolve("cache").toString(), blocked);
    printed = NativeChild.start(folder, List.of(), classPath(), options, "beside").end();
    List<String> refused = printed.lines().filter(s -> s.startsWith("refused ")).toList();
    assertEquals(4, refused.size(), printed);
    assertEquals(1, refused.stream().distinct().count(), printed);
  }

  @Test
  void aRelativeCacheIsOneOfTheCurrentFolder() throws Exception {
    NativeChild.start(folder, List.of(), classPath(), options("mine", temporary)).opened();
    assertTrue(libraries(folder.resolve("mine")).containsKey("libopenblas"));
  }

  @Test
  void anInterruptedThreadLoadsAndStaysInterrupted() throws Exception {
    String printed = child(cache, "interrupted").opened();
    assertTrue(printed.contains("interrupted: true"), printed);
    assertFalse(printed.contains("WARNING: the cache"), printed);
  }

  @Test
  void fourAtOnceFillOneFolder() throws Exception {
    List<NativeChild> children = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      children.add(child(cache));
    }
    for (NativeChild child : children) {
      String printed = child.opened();
      assertFalse(printed.contains("the cache cannot be used"), printed);
    }
    assertEquals(List.of(), begun(cache, "unfinished-"));
    assertEquals(1, begun(cache, "libopenblas").size());
  }

  @Test
  void whatIsNotTheJarsIsUnpackedAgain() throws Exception {
    onlyOnLinux();
    child(cache).opened();
    Map<String, Path> libraries = libraries(cache);
    Map<String, byte[]> contents = new TreeMap<>();
    for (Map.Entry<String, Path> library : libraries.entrySet()) {
      contents.put(library.getKey(), Files.readAllBytes(library.getValue()));
    }
    byte[] openBlas = contents.get("libopenblas");
    Files.write(libraries.get("libopenblas"), new byte[openBlas.length]); // as after a power cut
    byte[] torn = contents.get("libgfortran");
    Files.write(libraries.get("libgfortran"), Arrays.copyOf(torn, torn.length / 2));
    Files.delete(libraries.get("libgcc_s"));
    Path elsewhere = Files.write(folder.resolve("elsewhere"), contents.get("libgcc_s"));
    Files.createSymbolicLink(libraries.get("libgcc_s"), elsewhere);
    child(cache).opened();
    for (Map.Entry<String, Path> library : libraries.entrySet()) {
      assertTrue(Files.isRegularFile(library.getValue(), LinkOption.NOFOLLOW_LINKS));
      assertArrayEquals(contents.get(library.getKey()), Files.readAllBytes(library.getValue()));
    }
  }

  @Test
  void aPlantedLibraryOfTheRightLengthDoesNotRun() throws Exception {
    child(cache).opened();
    Path library = libraries(cache).get("libopenblas");
    byte[] content = Files.readAllBytes(library);
    byte[] planted = content.clone();
    planted[planted.length / 2] ^= 1;
    Files.write(library, planted);
    child(cache).opened();
    assertArrayEquals(content, Files.readAllBytes(library));
  }

  @Test
  void aFullCacheIsReadAlone() throws Exception {
    child(cache).opened();
    Map<Path, FileTime> before = new TreeMap<>();
    try (Stream<Path> paths = Files.walk(cache)) {
      for (Path path : paths.toList()) {
        before.put(path, Files.getLastModifiedTime(path)); // a folder's, when an entry changes
      }
    }
    String printed = child(cache).opened();
    assertFalse(printed.contains("the cache cannot be used"), printed);
    for (Map.Entry<Path, FileTime> path : before.entrySet()) {
      assertEquals(path.getValue(), Files.getLastModifiedTime(path.getKey()), path.toString());
    }
  }

  @Test
  void nobodyElseMayWriteWhatIsUnpackedWithAnyUmask() throws Exception {
    onlyWhereFilesHaveModes();
    List<String> openMask = List.of("sh", "-c", "umask 0; exec \"$@\"", "sh");
    NativeChild.start(folder, openMask, classPath(), options(cache.toString(), temporary)).opened();
    try (Stream<Path> paths = Files.walk(cache)) {
      for (Path path : paths.toList()) {
        String mode = PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
        assertTrue(mode.matches("rw.r-.r-."), path + " " + mode);
      }
    }
  }

  @Test
  void aFolderThatOthersCanWriteIsNotUsed() throws Exception {
    onlyWhereFilesHaveModes();
    Files.createDirectory(cache);
    Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwxrwxrwx"));
    String printed = child(cache).opened();
    assertTrue(printed.contains(cache + " has mode=0777, so others may write it"), printed);
    assertEquals(Map.of(), libraries(cache));
  }

  @Test
  void aFileThatOthersCanWriteIsReplaced() throws Exception {
    onlyWhereFilesHaveModes();
    child(cache).opened();
    Path library = libraries(cache).get("libopenblas");
    Files.setPosixFilePermissions(library, PosixFilePermissions.fromString("rw-rw-rw-"));
    child(cache).opened();
    String mode = PosixFilePermissions.toString(Files.getPosixFilePermissions(library));
    assertTrue(mode.matches("rw-[r-]--[r-]--"), mode);
  }

  @Test
  void whatKilledProcessesLeftGoes() throws Exception {
    NativeChild killed = child(cache);
    while (killed.process().isAlive()
        && (!Files.exists(cache) || begun(cache, "unfinished-").isEmpty())) {
      Thread.onSpinWait();
    }
    killed.process().destroyForcibly().waitFor();
    child(cache).opened();
    Path home = libraries(cache).get("libopenblas").getParent();
    Path left = Files.createFile(home.resolve("unfinished-" + killed.process().pid() + "-1"));
    Path live =
        Files.createFile(home.resolve("unfinished-" + ProcessHandle.current().pid() + "-1"));
    Files.delete(libraries(cache).get("libopenblas"));
    child(cache).opened(); // unpacks it again
    assertFalse(Files.exists(left));
    assertEquals(List.of(live), begun(cache, "unfinished-"));

    Path mine =
        Files.createDirectories(temporary.resolve("recur-" + killed.process().pid() + "-1"));
    Files.createDirectory(mine.resolve("folder"));
    Files.writeString(mine.resolve("folder/library"), "");
    child(file.resolve("cache")).opened();
    assertEquals(List.of(), begun(temporary, "recur-"));
  }

  @Test
  void deniedNativeAccessIsToldWithTheOption() throws Exception {
    assumeTrue(Runtime.version().feature() >= 24, "Java denies no native access before 24");
    List<String> options = List.of("--illegal-native-access=deny", "-Dio.recur.cache=" + cache);
    String printed = NativeChild.start(folder, List.of(), classPath(), options).end();
    String start = "refused natives: ";
    assertEquals(3, NativeChild.count(printed, start), printed);
    assertTrue(printed.contains("start the JVM with --enable-native-access=ALL-UNNAMED"), printed);
  }
}
