package io.recur.device.cuda;

import static io.recur.bindings.nvrtc.nvrtc_h.nvrtcCompileProgram;
import static io.recur.bindings.nvrtc.nvrtc_h.nvrtcCreateProgram;
import static io.recur.bindings.nvrtc.nvrtc_h.nvrtcDestroyProgram;
import static io.recur.bindings.nvrtc.nvrtc_h.nvrtcGetProgramLog;
import static io.recur.bindings.nvrtc.nvrtc_h.nvrtcGetProgramLogSize;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.ChildJvm;
import io.recur.compile.CellPrograms;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.SamplePrograms;
import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.ProductSchedule;
import io.recur.nn.Cells;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What the kernels of compiled cells take of a multiprocessor, as the assembler in NVRTC says. It
 * runs in a JVM of its own, see {@link NvrtcTest}.
 */
@Tag(Devices.CPU)
class PhaseGatesTest {
  private static final int IN = 5;
  private static final int OUT = 65;

  /** Four blocks of 256 threads are resident. */
  private static final int MOST_REGISTERS = 64;

  /** Two are: one works while the other waits at a barrier of a sum. Each sum takes two. */
  private static final int MOST_REGISTERS_BY_COLUMN = 128;

  /** What the other JVM runs. */
  static final class Report {
    private static final List<String> OPTIONS =
        List.of("--gpu-architecture=sm_90", "--ptxas-options=-v");

    private static final Pattern KERNEL =
        Pattern.compile(
            "Function properties for (\\w+)\\R"
                + "\\D*(\\d+) bytes stack frame, (\\d+) bytes spill stores, (\\d+) bytes spill loads\\R"
                + ".*Used (\\d+) registers");

    private static final Pattern SINE = Pattern.compile("_of_(SIN|COS)\\(");

    private Report() {}

    /**
     * Prints a line per kernel.
     *
     * @param arguments the file of NVRTC
     */
    public static void main(String[] arguments) {
      NvrtcTest.Program.opened(Path.of(arguments[0]));
      Map<String, CellProgram> programs = new LinkedHashMap<>();
      try (Device device = Device.cpu()) {
        Cells.compiled()
            .forEach(
                cells ->
                    programs.put(
                        cells.name(), CellPrograms.of(cells.make(IN, OUT).cell(), IN, device)));
      }
      for (CellProgram sample : SamplePrograms.programs(IN, OUT)) {
        programs.put("sample" + programs.size(), sample);
      }
      programs.forEach(Report::print);
    }

    private static void print(String name, CellProgram program) {
      List<PhaseSource> phases = ProgramKernels.phases(ProductSchedule.of(program));
      String log = log(ProgramKernels.source(phases));
      for (PhaseSource phase : phases) {
        Matcher matcher = KERNEL.matcher(log);
        while (matcher.find() && !matcher.group(1).equals(phase.symbol())) {}
        System.out.printf(
            "= %s,%s,%s,%s,%s,%s,%s,%s%n",
            name,
            phase.number(),
            phase.isByColumn(),
            SINE.matcher(phase.text()).find(),
            matcher.group(2),
            matcher.group(3),
            matcher.group(4),
            matcher.group(5));
      }
    }

    /** What the compiler says of a source. */
    private static String log(String source) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment handle = arena.allocate(ADDRESS);
        MemorySegment none = MemorySegment.NULL;
        MemorySegment text = arena.allocateFrom(source);
        MemorySegment file = arena.allocateFrom(Compiler.PROGRAM);
        Status.checkCompiler(
            nvrtcCreateProgram(handle, text, file, 0, none, none), "nvrtcCreateProgram");
        MemorySegment program = handle.get(ADDRESS, 0);
        MemorySegment options = arena.allocate(ADDRESS, OPTIONS.size());
        for (int i = 0; i < OPTIONS.size(); i++) {
          options.setAtIndex(ADDRESS, i, arena.allocateFrom(OPTIONS.get(i)));
        }
        int status = nvrtcCompileProgram(program, OPTIONS.size(), options);
        MemorySegment size = arena.allocate(JAVA_LONG);
        Status.checkCompiler(nvrtcGetProgramLogSize(program, size), "nvrtcGetProgramLogSize");
        MemorySegment log = arena.allocate(size.get(JAVA_LONG, 0));
        Status.checkCompiler(nvrtcGetProgramLog(program, log), "nvrtcGetProgramLog");
        nvrtcDestroyProgram(handle);
        Status.checkCompiler(status, log.getString(0));
        return log.getString(0);
      }
    }
  }

  @Test
  void noPhaseOfACellSpillsAndTwoBlocksOrFourAreResident()
      throws IOException, InterruptedException {
    String printed = ChildJvm.run(Report.class, List.of(), NvrtcTest.nvrtc().toString());
    List<String> lines = printed.lines().filter(line -> line.startsWith("= ")).toList();
    assertTrue(lines.size() > 2 * Cells.compiled().count(), printed);
    for (String line : lines) {
      String[] words = line.split(",");
      boolean isByColumn = Boolean.parseBoolean(words[2]);
      boolean hasSine = Boolean.parseBoolean(words[3]);
      assertTrue(
          Integer.parseInt(words[4]) <= (hasSine ? CompileGatesTest.REDUCTION_STACK : 0), line);
      assertEquals("0,0", words[5] + "," + words[6], line);
      int most = isByColumn ? MOST_REGISTERS_BY_COLUMN : MOST_REGISTERS;
      assertTrue(Integer.parseInt(words[7]) <= most, line);
    }
  }
}
