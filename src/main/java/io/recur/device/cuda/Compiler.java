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
 * NVRTC over one program. What it makes is kept in the {@link CacheFolder} under a name made of the
 * source, the options, the architecture and the compiler, behind the SHA-256 of that name and the
 * program: what was damaged, or is another card's or another program's, never gets to the driver.
 */
final class Compiler {
  private static final String NAME = "recur.cu";
  private static final int HASH_CHARACTERS = 32;
  private static final String CARD = "sm_";
  private static final String ELF = "\u007FELF";

  private final Libraries libraries;
  private final String source;

  Compiler(Libraries libraries, String source) {
    this.libraries = libraries;
    this.source = source;
  }

  /** The program for a card: the cache's where it is whole and nobody else could write it. */
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
      return Optional.empty(); // compiling again says why nothing can be kept
    }
  }

  /** The program for a card, compiled now and put into the cache. */
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
   * Whether a driver may be given it: a cubin, which is an ELF file, or for {@code compute_90} PTX,
   * which ends with a zero. It would read anything else as PTX, on to the next zero.
   */
  static boolean isProgram(String target, byte[] image) {
    return target.startsWith(CARD)
        ? new String(image, StandardCharsets.ISO_8859_1).startsWith(ELF)
        : image.length > 0 && image[image.length - 1] == 0;
  }

  /** To be given a program that is kept under that name. */
  private static MessageDigest digest(String name) {
    MessageDigest digest = PackedFile.digest();
    digest.update(name.getBytes(StandardCharsets.UTF_8));
    return digest;
  }

  /** What a kept file holds behind its SHA-256; nothing where the two do not fit. */
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

  /** What the program for a card is called in the cache. */
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
   * What to compile for: {@code sm_90}, the card itself; or {@code compute_90}, the newest that
   * NVRTC knows before the card, for the driver to translate.
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
              handle, arena.allocateFrom(source), arena.allocateFrom(NAME), 0, none, none),
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

  /** Text with the zero at its end, as the driver reads it. */
  private static byte[] ptx(Arena arena, MemorySegment program) {
    MemorySegment size = arena.allocate(JAVA_LONG);
    Status.checkCompiler(nvrtcGetPTXSize(program, size), "nvrtcGetPTXSize");
    MemorySegment image = arena.allocate(size.get(JAVA_LONG, 0));
    Status.checkCompiler(nvrtcGetPTX(program, image), "nvrtcGetPTX");
    return image.toArray(JAVA_BYTE);
  }
}
