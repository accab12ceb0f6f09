package io.recur.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.device.UpdateRule;
import io.recur.device.kernels.Binary;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every kernel compiles for the cards of today without a GPU at hand, and takes no more of a
 * multiprocessor than allows all its 2048 threads to be resident, or half of them.
 */
@Tag(Devices.CPU)
class CompileGatesTest {
  private static final Path SOURCES = Path.of("native", "cuda");

  /** With 64 registers a thread a multiprocessor of 65 536 holds four blocks of 256. */
  private static final int MOST_REGISTERS = 64;

  /** Kernels with the whole table of functions. */
  private static final Set<String> HAS_TABLE =
      Set.of("recur_map", "recur_add_derivative", "recur_rnn", "recur_rnn_slope");

  /**
   * The words in which sinf and cosf reduce arguments above 1e5; smaller ones do not touch them. In
   * a table of 23 functions ptxas keeps some words of both, for sm_80 and sm_90a.
   */
  static final int REDUCTION_STACK = 48;

  /** What ptxas says of a kernel under {@code -v}. */
  private static final Pattern REPORT =
      Pattern.compile(
          "Function properties for (\\w+)\\R"
              + "\\s+(\\d+) bytes stack frame, (\\d+) bytes spill stores, (\\d+) bytes spill loads\\R"
              + ".*Used (\\d+) registers");

  /** Of one kernel: bytes of local memory, bytes of spills, registers. */
  private record Use(int stack, int spills, int registers) {}

  @TempDir private Path folder;

  private static Optional<Path> nvcc() {
    Stream<String> folders =
        Stream.concat(
            Arrays.stream(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)),
            Stream.of("/usr/local/cuda/bin"));
    return folders.map(name -> Path.of(name, "nvcc")).filter(Files::isExecutable).findFirst();
  }

  /** The program as Java hands it to NVRTC. */
  private static String program() throws IOException {
    StringBuilder program = new StringBuilder();
    for (String file : Files.readAllLines(SOURCES.resolve("FILES"))) {
      program.append(Files.readString(SOURCES.resolve(file)));
    }
    return program.toString();
  }

  /** Runs nvcc over the program and gives what it says. */
  private String run(String... options) throws IOException, InterruptedException {
    Optional<Path> nvcc = nvcc();
    assumeTrue(
        nvcc.isPresent(),
        "no nvcc on the PATH nor in /usr/local/cuda/bin: nothing to compile with");
    List<String> command = new ArrayList<>(List.of(nvcc.get().toString(), "-Werror=all-warnings"));
    command.addAll(List.of(options));
    command.add(Files.writeString(folder.resolve("recur.cu"), program()).toString());
    Path log = folder.resolve("log.txt");
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().remove("LD_PRELOAD"); // a sanitizer of make sanitize would end nvcc
    Process process = builder.redirectOutput(log.toFile()).start();
    assertTrue(process.waitFor(5, TimeUnit.MINUTES), "nvcc did not come to an end");
    String report = Files.readString(log);
    assertEquals(0, process.exitValue(), report);
    return report;
  }

  private Map<String, Use> compile(String architecture) throws IOException, InterruptedException {
    String cubin = folder.resolve("recur.cubin").toString();
    String report = run("-cubin", "-arch=" + architecture, "-Xptxas", "-v", "-o", cubin);
    Map<String, Use> uses = new TreeMap<>();
    Matcher matcher = REPORT.matcher(report);
    while (matcher.find()) {
      int spills = Integer.parseInt(matcher.group(3)) + Integer.parseInt(matcher.group(4));
      int registers = Integer.parseInt(matcher.group(5));
      uses.put(matcher.group(1), new Use(Integer.parseInt(matcher.group(2)), spills, registers));
    }
    return uses;
  }

  private static TreeSet<String> symbols() {
    return Arrays.stream(Kernel.values())
        .map(Kernel::symbol)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @ParameterizedTest
  @ValueSource(strings = {"sm_80", "sm_90a", "sm_120"})
  void kernelsCompileWithoutSpillsAndWithFewRegisters(String architecture)
      throws IOException, InterruptedException {
    Map<String, Use> uses = compile(architecture);
    assertEquals(symbols(), new TreeSet<>(uses.keySet()), "kernels in the report of ptxas");
    uses.forEach(
        (kernel, use) -> {
          String what = kernel + " for " + architecture + ": " + use;
          assertEquals(0, use.spills, what);
          assertTrue(use.stack <= (HAS_TABLE.contains(kernel) ? REDUCTION_STACK : 0), what);
          assertTrue(use.registers <= MOST_REGISTERS, what);
        });
  }

  /** The instructions of each kernel, in PTX. */
  private Map<String, String> instructions() throws IOException, InterruptedException {
    Path ptx = folder.resolve("recur.ptx");
    run("-ptx", "-arch=sm_80", "-o", ptx.toString());
    Map<String, String> kernels = new TreeMap<>();
    for (String kernel : Files.readString(ptx).split("\\.entry ")) {
      kernels.put(kernel.substring(0, Math.max(0, kernel.indexOf('('))), kernel);
    }
    return kernels;
  }

  @Test
  void noKernelTakesACardsOwnExponential() throws IOException, InterruptedException {
    String code = program().replaceAll("(?s)/\\*.*?\\*/", "");
    String called = "\\b_*(exp|exp2|exp10|expm1|tanh|sinh|cosh|pow)f?\\(";
    assertEquals(List.of(), matches(called, code));
    instructions()
        .forEach(
            (kernel, ptx) -> assertEquals(List.of(), matches("(ex2|tanh)\\.approx", ptx), kernel));
  }

  @Test
  void noValueOfAMatrixCostsADivisionByItsRows() throws IOException, InterruptedException {
    Map<String, String> instructions = instructions();
    for (Kernel kernel :
        List.of(
            Kernel.BINARY,
            Kernel.BINARY_DERIVATIVE,
            Kernel.ADD_COLUMN,
            Kernel.BLOCK,
            Kernel.GATHER,
            Kernel.ADD_CROSS_ENTROPY_DERIVATIVE,
            Kernel.BAND_MULTIPLY_TRANSPOSED)) {
      String ptx = instructions.get(kernel.symbol());
      assertEquals(List.of(), matches("(div|rem)\\.[su]64", ptx), kernel.symbol());
    }
  }

  private static List<String> matches(String pattern, String text) {
    return Pattern.compile(pattern).matcher(text).results().map(MatchResult::group).toList();
  }

  @Test
  void everyKernelOfTheListIsInTheSourceAndNoOther() throws IOException {
    Matcher matcher = Pattern.compile("(?m)^KERNEL\\((\\w+),").matcher(program());
    TreeSet<String> defined = new TreeSet<>();
    matcher.results().map(result -> result.group(1)).forEach(defined::add);
    assertEquals(symbols(), defined);
  }

  @Test
  void theTableOfFunctionsIsInTheOrderOfTheEnum() throws IOException {
    assertEquals(Arrays.toString(Elementwise.values()), entries("F").toString());
    assertEquals(Arrays.toString(UpdateRule.values()), entries("R").toString());
    assertEquals(Arrays.toString(Binary.values()), entries("B").toString());
  }

  /** The names of a table's entries, lines such as {@code F(TANH, …}. */
  private static List<String> entries(String macro) throws IOException {
    Matcher matcher = Pattern.compile("(?m)^  " + macro + "\\((\\w+),").matcher(program());
    return matcher.results().map(result -> result.group(1)).toList();
  }
}
