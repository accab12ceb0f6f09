package io.recur.device.cuda;

import static io.recur.bindings.nvrtc.nvrtc_h.nvrtcCompileProgram;
import static io.recur.bindings.nvrtc.nvrtc_h.nvrtcCreateProgram;
import static io.recur.bindings.nvrtc.nvrtc_h.nvrtcDestroyProgram;
import static io.recur.bindings.nvrtc.nvrtc_h.nvrtcGetCUBIN;
import static io.recur.bindings.nvrtc.nvrtc_h.nvrtcGetCUBINSize;
import static io.recur.bindings.nvrtc.nvrtc_h.nvrtcGetNumSupportedArchs;
import static io.recur.bindings.nvrtc.nvrtc_h.nvrtcGetPTX;
import static io.recur.bindings.nvrtc.nvrtc_h.nvrtcGetPTXSize;
import static io.recur.bindings.nvrtc.nvrtc_h.nvrtcGetProgramLog;
import static io.recur.bindings.nvrtc.nvrtc_h.nvrtcGetProgramLogSize;
import static io.recur.bindings.nvrtc.nvrtc_h.nvrtcGetSupportedArchs;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.recur.device.DeviceException;
import io.recur.device.natives.CacheFolder;
import io.recur.device.natives.PackedFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/**
 * Compiles one source with NVRTC. The {@link CacheFolder} keeps the result under a name made of the
 * source, the options, the architecture and the compiler. A kept file begins with the SHA-256 of
 * its name and the program. The driver therefore never sees a damaged file, nor a program of
 * another card or another source.
 */
final class Compiler {
  /** The names of the kernels' source, and of one that is written while the program runs. */
  static final String KERNELS = "recur.cu";

  static final String PROGRAM = "program.cu";
  private static final int HASH_CHARACTERS = 32;
  private static final String CARD = "sm_";
  private static final String ELF = "\u007FELF";

  private final Libraries libraries;
  private final String source;
  private final String file;

  Compiler(Libraries libraries, String source) {
    this(libraries, source, KERNELS);
  }

  Compiler(Libraries libraries, String source, String file) {
    this.libraries = libraries;
    this.source = source;
    this.file = file;
  }

  /** {@return the program for a card: the cache's, if it is intact and nobody else can write it} */
  byte[] image(int architecture) {
    String target = target(architecture);
    return kept(name(architecture))
        .filter(image -> isProgram(target, image))
        .orElseGet(() -> compiled(architecture));
  }

  private static Optional<byte[]> kept(String name) {
    try {
      CacheFolder cache = CacheFolder.ofUser();
      return cache.has(name)
          ? content(name, Files.readAllBytes(cache.path().resolve(name)))
          : Optional.empty();
    } catch (IOException e) {
      return Optional.empty(); // compiled() says why the cache cannot be used
    }
  }

  /** Compiles the program for a card and puts it into the cache. */
  byte[] compiled(int architecture) {
    byte[] image = compile(architecture);
    String name = name(architecture);
    try {
      CacheFolder.ofUser()
          .put(
              name,
              out -> {
                out.write(digest(name).digest(image));
                out.write(image);
              });
    } catch (IOException e) {
      System.getLogger("io.recur")
          .log(
              System.Logger.Level.WARNING,
              "the compiled kernels cannot be kept: {0}; each start compiles them again: name a"
                  + " writable folder of your own with -D{1}=FOLDER",
              e,
              CacheFolder.PROPERTY);
    }
    return image;
  }

  /**
   * {@return whether a driver may load the image} A cubin is an ELF file. For a target such as
   * {@code compute_90} the image is PTX, which must end with a zero: a driver reads anything that
   * is not ELF as PTX, up to the next zero.
   */
  static boolean isProgram(String target, byte[] image) {
    return target.startsWith(CARD)
        ? new String(image, StandardCharsets.ISO_8859_1).startsWith(ELF)
        : image.length > 0 && image[image.length - 1] == 0;
  }

  /** {@return a digest that has read the name and will read the program} */
  private static MessageDigest digest(String name) {
    MessageDigest digest = PackedFile.digest();
    digest.update(name.getBytes(StandardCharsets.UTF_8));
    return digest;
  }

  /** {@return the program of a kept file; empty if the file's SHA-256 does not match} */
  private static Optional<byte[]> content(String name, byte[] file) {
    MessageDigest digest = digest(name);
    int start = digest.getDigestLength();
    if (file.length <= start) {
      return Optional.empty();
    }
    digest.update(file, start, file.length - start);
    return Arrays.equals(digest.digest(), Arrays.copyOf(file, start))
        ? Optional.of(Arrays.copyOfRange(file, start, file.length))
        : Optional.empty();
  }

  /** {@return the name of a card's program in the cache} */
  String name(int architecture) {
    MessageDigest digest = PackedFile.digest();
    for (String part :
        new String[] {
          source,
          option(target(architecture)),
          String.valueOf(libraries.compilerVersion()),
          String.valueOf(libraries.compiler().getFileName())
        }) {
      digest.update(part.getBytes(StandardCharsets.UTF_8));
      digest.update((byte) 0);
    }
    return "cuda-" + HexFormat.of().formatHex(digest.digest()).substring(0, HASH_CHARACTERS);
  }

  /**
   * {@return {@code sm_90}, the card itself, or {@code compute_90}, the newest architecture below
   * the card's that NVRTC knows, which the driver translates}
   */
  private String target(int architecture) {
    int[] known = architectures();
    if (Arrays.stream(known).anyMatch(a -> a == architecture)) {
      return CARD + architecture;
    }
    int below = Arrays.stream(known).filter(a -> a < architecture).max().orElse(0);
    if (below == 0) {
      throw new DeviceException(
          "cuda: the card's compute capability is %d.%d, NVRTC %s compiles for %s; need one that"
                  .formatted(
                      architecture / 10,
                      architecture % 10,
                      Libraries.version(libraries.compilerVersion()),
                      Arrays.toString(known))
              + " knows the card");
    }
    return "compute_" + below;
  }

  private static String option(String target) {
    return "--gpu-architecture=" + target;
  }

  private static int[] architectures() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment count = arena.allocate(JAVA_INT);
      Status.checkCompiler(nvrtcGetNumSupportedArchs(count), "nvrtcGetNumSupportedArchs");
      MemorySegment known = arena.allocate(JAVA_INT, count.get(JAVA_INT, 0));
      Status.checkCompiler(nvrtcGetSupportedArchs(known), "nvrtcGetSupportedArchs");
      return known.toArray(JAVA_INT);
    }
  }

  private byte[] compile(int architecture) {
    String target = target(architecture);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment handle = arena.allocate(ADDRESS);
      MemorySegment none = MemorySegment.NULL;
      Status.checkCompiler(
          nvrtcCreateProgram(
              handle, arena.allocateFrom(source), arena.allocateFrom(file), 0, none, none),
          "nvrtcCreateProgram");
      MemorySegment program = handle.get(ADDRESS, 0);
      try {
        MemorySegment options = arena.allocate(ADDRESS);
        options.set(ADDRESS, 0, arena.allocateFrom(option(target)));
        int status = nvrtcCompileProgram(program, 1, options);
        if (status != 0) {
          throw new DeviceException(
              "cuda: nvrtcCompileProgram for %s with NVRTC %s: %s; its log:%n%s"
                  .formatted(
                      target,
                      Libraries.version(libraries.compilerVersion()),
                      Status.compiler(status),
                      log(arena, program)));
        }
        byte[] image = target.startsWith(CARD) ? cubin(arena, program) : ptx(arena, program);
        if (!isProgram(target, image)) {
          throw new DeviceException(
              "cuda: NVRTC gave %d bytes for %s that are no program; need a cubin or PTX"
                  .formatted(image.length, target));
        }
        return image;
      } finally {
        nvrtcDestroyProgram(handle);
      }
    }
  }

  private static String log(Arena arena, MemorySegment program) {
    MemorySegment size = arena.allocate(JAVA_LONG);
    Status.checkCompiler(nvrtcGetProgramLogSize(program, size), "nvrtcGetProgramLogSize");
    MemorySegment text = arena.allocate(Math.max(size.get(JAVA_LONG, 0), 1));
    Status.checkCompiler(nvrtcGetProgramLog(program, text), "nvrtcGetProgramLog");
    return text.getString(0);
  }

  private static byte[] cubin(Arena arena, MemorySegment program) {
    MemorySegment size = arena.allocate(JAVA_LONG);
    Status.checkCompiler(nvrtcGetCUBINSize(program, size), "nvrtcGetCUBINSize");
    MemorySegment image = arena.allocate(size.get(JAVA_LONG, 0));
    Status.checkCompiler(nvrtcGetCUBIN(program, image), "nvrtcGetCUBIN");
    return image.toArray(JAVA_BYTE);
  }

  /** {@return the program's PTX, with the zero at its end that the driver needs} */
  private static byte[] ptx(Arena arena, MemorySegment program) {
    MemorySegment size = arena.allocate(JAVA_LONG);
    Status.checkCompiler(nvrtcGetPTXSize(program, size), "nvrtcGetPTXSize");
    MemorySegment image = arena.allocate(size.get(JAVA_LONG, 0));
    Status.checkCompiler(nvrtcGetPTX(program, image), "nvrtcGetPTX");
    return image.toArray(JAVA_BYTE);
  }
}
