package io.recur.device.natives;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import io.recur.device.cpu.OpenBlas;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag(Devices.CPU)
class PackedFileTest {
  @TempDir private Path folder;

  private static Resource openBlas() {
    Resource found = Resource.find(OpenBlas.bundle().resource());
    assertNotNull(found, "OpenBLAS is a dependency of this project");
    return found;
  }

  private static String sum(byte[] content) throws Exception {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
  }

  /** A jar that holds one file, as a class loader would name it. */
  private Resource packed(String jar, String name, byte[] content) throws IOException {
    Path path = folder.resolve(jar);
    Files.createDirectories(path.getParent());
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(path))) {
      out.setLevel(0);
      out.putNextEntry(new ZipEntry(name));
      out.write(content);
    }
    return new Resource(name, URI.create("jar:" + path.toUri() + "!/" + name).toURL());
  }

  @Test
  void theBuildRecordedTheSumOfWhatIsOnTheClassPath() throws Exception {
    Resource records = Resource.find("io/recur/device/" + Bundle.platform() + "/natives.sha256");
    assertNotNull(records, "the build records sums");
    Resource library = openBlas();
    String sum = sum(library.bytes());
    assertEquals(sum, PackedFile.of(library).sum());
    assertTrue(new String(records.bytes()).contains(sum + " " + library.stamp().bytes() + " "));
  }

  @Test
  void anotherVersionOfTheJarIsKnownByWhatItHolds() throws Exception {
    byte[] other = openBlas().bytes();
    other[1000] ^= 1; // of the same length
    Resource library = packed("other.jar", OpenBlas.bundle().resource(), other);
    assertEquals(sum(other), PackedFile.of(library).sum());
  }

  @Test
  void aJarMayBeInAnyFolder() throws IOException {
    byte[] content = {1, 2, 3};
    Resource resource = packed("odd!/50% re+cur!/a b.jar", "x/y.so", content);
    assertArrayEquals(content, resource.bytes());
    assertEquals(content.length, resource.stamp().bytes());
    assertNull(resource.file());
    Path path = Files.write(folder.resolve("odd!/y 1%.so"), content);
    assertEquals(path, new Resource("y 1%.so", path.toUri().toURL()).file());
  }
}
