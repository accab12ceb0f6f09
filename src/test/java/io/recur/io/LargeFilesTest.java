package io.recur.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.ChildJvm;
import io.recur.Resident;
import io.recur.device.Buffer;
import io.recur.device.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A file of 2.2 GB with a tensor of more than 2²⁹ values, written and read with 64 MB of heap, by a
 * process that never takes more than 256 MiB of RAM.
 */
@Tag("soak")
class LargeFilesTest {
  private static final long MOST_BYTES = 256 << 20;

  @TempDir private Path folder;

  @Test
  void aTensorBeyondTwoGigabytesIsWrittenAndRead() throws Exception {
    Path file = folder.resolve("large.safetensors");
    String printed =
        ChildJvm.run(
            Large.class, List.of("-Xmx64m", "-XX:MaxDirectMemorySize=1g"), file.toString());
    System.out.println("soak: " + printed);
    assertTrue(printed.startsWith("a file of 2240"), printed);
  }

  /** A program: pieces of one small buffer stand for a tensor of 2.2 GB. */
  static final class Large {
    private static final int PIECE = 10_000_000;

    private Large() {}

    public static void main(String[] arguments) throws IOException {
      Path path = Path.of(arguments[0]);
      try (Device device = Device.cpu(1)) {
        Buffer piece = device.allocate(PIECE);
        piece.slice(PIECE - 1, 1).write(7);
        Buffer[] pieces = new Buffer[55];
        Arrays.fill(pieces, piece);
        long[] dimensions = {550_000_000};
        new Safetensors(
                Map.of(),
                Map.of(
                    "0.W", StoredTensor.of(dimensions, pieces),
                    "1.W", StoredTensor.of(new long[] {PIECE}, piece)))
            .write(path);
        piece.slice(PIECE - 1, 1).write(0);
        try (Safetensors file = Safetensors.read(path)) {
          file.tensors().get("0.W").read(pieces);
          assertEquals(7, piece.slice(PIECE - 1, 1).read()[0]);
          file.tensors().get("1.W").read(piece);
        }
        long peak = Resident.peak();
        assertTrue(peak <= MOST_BYTES, "peak=" + peak);
        System.out.printf(
            "a file of %d bytes written and read with 64 MB of heap, %d bytes in RAM at most",
            Files.size(path), peak);
      }
    }
  }
}
