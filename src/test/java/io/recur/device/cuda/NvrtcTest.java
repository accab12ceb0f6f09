package io.recur.device.cuda;

import static io.recur.bindings.nvrtc.nvrtc_h.nvrtcVersion;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import io.recur.ChildJvm;
import io.recur.device.DeviceException;
import io.recur.device.Devices;
import io.recur.device.SamplePrograms;
import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.ProductSchedule;
import io.recur.device.natives.CacheFolder;
import io.recur.device.natives.Library;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * NVRTC itself compiles the kernels, where this machine has one: it needs no driver. It runs in a
 * JVM of its own: a library stays open until the process ends.
 */
@Tag(Devices.CPU)
class NvrtcTest {
  /** A compute capability that no NVRTC knows: it gives PTX for the newest that it does know. */
  private static final int UNKNOWN = 999;

  @TempDir private Path folder;

  /** What the other JVM runs. */
  static final class Program {
    private Program() {}

    /**
     * Compiles for several cards, twice for each.
     *
     * @param arguments the file of NVRTC
     */
    public static void main(String[] arguments) {
      Libraries libraries = opened(Path.of(arguments[0]));
      Compiler compiler = new Compiler(libraries, Source.read());
      for (int architecture : new int[] {80, 90, 120, UNKNOWN}) {
        byte[] image = compiler.compiled(architecture);
        boolean isCubin = Compiler.isProgram("sm_", image);
        System.out.printf(
            "%d: %s, %d kernels, %s the second time%n",
            architecture,
            isCubin ? "cubin" : "PTX",
            isCubin ? kernels(image, ".text.", "\0") : kernels(image, ".entry ", "("),
            Arrays.equals(image, compiler.compiled(architecture)) ? "the same" : "another");
      }
    }

    static Libraries opened(Path file) {
      LibraryFile.BUILTINS.beside(file).forEach(beside -> Library.open(beside, List.of()));
      Library.open(file, List.of("nvrtcVersion"));
      int version = version();
      System.out.println("NVRTC " + Libraries.version(version));
      return new Libraries(file, file, version, version);
    }

    private static int version() {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment major = arena.allocate(ValueLayout.JAVA_INT);
        MemorySegment minor = arena.allocate(ValueLayout.JAVA_INT);
        Status.checkCompiler(nvrtcVersion(major, minor), "nvrtcVersion");
        return major.get(ValueLayout.JAVA_INT, 0) * 1000 + minor.get(ValueLayout.JAVA_INT, 0) * 10;
      }
    }

    /** How many of the kernels are named between these words. */
    private static long kernels(byte[] image, String before, String after) {
      String text = new String(image, StandardCharsets.ISO_8859_1);
      return Arrays.stream(Kernel.values())
          .filter(kernel -> text.contains(before + kernel.symbol() + after))
          .count();
    }
  }

  /** What another JVM runs: it compiles the phases of the sample programs. */
  static final class Phases {
    private static final Pattern FORBIDDEN =
        Pattern.compile("(ex2|tanh)\\.approx|(div|rem)\\.[su]64");

    private Phases() {}

    /**
     * Compiles each program for several cards.
     *
     * @param arguments the file of NVRTC
     */
    public static void main(String[] arguments) {
      Libraries libraries = Program.opened(Path.of(arguments[0]));
      int number = 0;
      for (CellProgram program : SamplePrograms.programs(5, 65)) {
        List<PhaseSource> phases = ProgramKernels.phases(ProductSchedule.of(program));
        String source = ProgramKernels.source(phases);
        Compiler compiler = new Compiler(libraries, source, Compiler.PROGRAM);
        for (int architecture : new int[] {80, 90, 120, UNKNOWN}) {
          String image = new String(compiler.compiled(architecture), StandardCharsets.ISO_8859_1);
          boolean hasAll = phases.stream().allMatch(phase -> image.contains(phase.symbol()));
          System.out.printf(
              "program %d for %d: %s, %s%n",
              number,
              architecture,
              hasAll ? "all kernels" : "kernels are missing",
              FORBIDDEN.matcher(image).find() ? "forbidden instructions" : "no forbidden ones");
        }
        number++;
      }
    }
  }

  /** This machine's NVRTC; without one the test is skipped and says where it was looked for. */
  static Path nvrtc() {
    try {
      return LibraryFile.COMPILER.find(
          List.of(13, 12), List.of(Folders.system(), Folders.wheels(), Folders.toolkit()));
    } catch (DeviceException e) {
      return abort(e.getMessage());
    }
  }

  @Test
  void everyKernelCompilesForEveryCardTwiceTheSame() throws IOException, InterruptedException {
    String cache = "-D" + CacheFolder.PROPERTY + "=" + folder.resolve("cache");
    String printed = ChildJvm.run(Program.class, List.of(cache), nvrtc().toString());
    String all = ", " + Kernel.values().length + " kernels, the same the second time";
    List<String> lines = printed.lines().toList();
    for (String expected : List.of("80: cubin" + all, "90: cubin" + all, UNKNOWN + ": PTX" + all)) {
      assertTrue(lines.contains(expected), printed);
    }
    assertTrue(lines.stream().anyMatch(line -> line.matches("120: (cubin|PTX)" + all)), printed);
  }

  @Test
  void everyPhaseOfAProgramCompilesForEveryCard() throws IOException, InterruptedException {
    String cache = "-D" + CacheFolder.PROPERTY + "=" + folder.resolve("cache");
    String printed = ChildJvm.run(Phases.class, List.of(cache), nvrtc().toString());
    List<String> lines = printed.lines().filter(line -> line.startsWith("program")).toList();
    assertEquals(4 * SamplePrograms.programs(5, 65).size(), lines.size(), printed);
    for (String line : lines) {
      assertTrue(line.endsWith(": all kernels, no forbidden ones"), printed);
    }
  }
}
