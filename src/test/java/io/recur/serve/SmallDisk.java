package io.recur.serve;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.ChildJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/** A file system of 60 MB that a child process has for itself, in a namespace of its own. */
final class SmallDisk {
  private SmallDisk() {}

  /**
   * Runs a program and returns what it printed. Its last argument is the folder of the disk. The
   * test is skipped where the machine allows no namespaces.
   */
  static String run(Path folder, Class<?> program, String argument) throws Exception {
    Path disk = Files.createDirectories(folder.resolve("disk"));
    Assumptions.assumeTrue(
        canMount(disk), "SKIPPED: no mount namespace here, so no disk that may be filled");
    Path output = folder.resolve("output.txt");
    List<String> starter =
        List.of(
            "unshare",
            "--mount",
            "--map-root-user",
            "sh",
            "-c",
            "mount -t tmpfs -o size=60m tmpfs '%s' && exec \"$@\"".formatted(disk),
            "sh");
    Process child = ChildJvm.startBy(starter, output, program, argument, disk.toString());
    boolean ended = child.waitFor(2, TimeUnit.MINUTES);
    child.destroyForcibly().waitFor();
    String told = Files.readString(output);
    assertTrue(ended, told);
    return told;
  }

  private static boolean canMount(Path disk) throws InterruptedException {
    try {
      return new ProcessBuilder(
                  "unshare",
                  "--mount",
                  "--map-root-user",
                  "mount",
                  "-t",
                  "tmpfs",
                  "none",
                  "" + disk)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false; // there is no unshare
    }
  }

  /** Writes a file that takes half of the disk, to be deleted when there shall be room again. */
  static Path fillHalf(Path disk) throws IOException {
    return Files.write(disk.resolve("ballast"), new byte[30 << 20]);
  }
}
