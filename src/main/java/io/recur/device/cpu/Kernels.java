package io.recur.device.cpu;

import static io.recur.bindings.kernels.recur_h.recur_best;
import static io.recur.bindings.kernels.recur_h.recur_has;
import static io.recur.bindings.kernels.recur_h.recur_open;
import static io.recur.bindings.kernels.recur_h.recur_rest;

import io.recur.bindings.Opened;
import io.recur.bindings.kernels.recur_h;
import io.recur.bindings.openblas.cblas_h;
import io.recur.device.DeviceException;
import io.recur.device.natives.Bundle;
import io.recur.device.natives.Library;
import io.recur.device.natives.Once;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The C kernels of {@code native/}: one instruction set and one team of threads.
 *
 * <p>{@link #open} looks in this order: the file that the system property {@value #LIBRARY} names;
 * the library that {@code make native} put into this jar, unpacked to the cache folder. Where there
 * is no library, the slower kernels in Java run, and a warning says so once. Without the property
 * {@value #SET} the best set of this machine runs; the property names {@code java}, {@code sse2},
 * {@code avx2}, {@code avx512} or {@code neon}.
 *
 * @param set the instruction set
 * @param context the context on the C side; freed when it is unreachable, so that a call after
 *     close cannot crash
 */
public record Kernels(InstructionSet set, MemorySegment context) {
  static final String LIBRARY = "io.recur.library";
  public static final String SET = "io.recur.kernels";

  private static final Once<Boolean> FOUND = new Once<>(() -> find(System.getProperty(LIBRARY)));

  /** The sets in the order of the C enum, then the one without C kernels. */
  public enum InstructionSet {
    /** 4 floats of x86. */
    SSE2,
    /** 8 floats of x86. */
    AVX2,
    /** 16 floats of x86. */
    AVX512,
    /** 4 floats of ARM. */
    NEON,
    /** The kernels in Java. */
    JAVA;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * {@return the set that the property names, else the best that this machine has}
   *
   * @throws DeviceException if the named set is unknown, or if this machine does not have it
   */
  static InstructionSet preferred() {
    String named = System.getProperty(SET);
    if (named == null) {
      return isLoaded() ? InstructionSet.values()[recur_best()] : InstructionSet.JAVA;
    }
    for (InstructionSet set : InstructionSet.values()) {
      if (set.toString().equals(named) && isPresent(set)) {
        return set;
      }
    }
    throw new DeviceException(
        "kernels: -D%s=%s; here there are %s: name one of these or drop the property"
            .formatted(SET, named, present()));
  }

  /**
   * Lists every set that this machine can open, Java's included.
   *
   * @return at least one
   */
  public static List<InstructionSet> present() {
    return List.of(InstructionSet.values()).stream().filter(Kernels::isPresent).toList();
  }

  private static boolean isPresent(InstructionSet set) {
    return set == InstructionSet.JAVA || (isLoaded() && recur_has(set.ordinal()) != 0);
  }

  /**
   * Opens a context. OpenBLAS must be loaded.
   *
   * @param set one of {@link #present}
   * @param threads the threads of its team, the caller's included
   * @return null for {@link InstructionSet#JAVA}
   */
  public static @Nullable Kernels open(InstructionSet set, int threads) {
    if (set == InstructionSet.JAVA) {
      return null;
    }
    // from now on OpenBLAS computes on the calling thread, and the team shares products
    cblas_h.openblas_set_num_threads(1);
    MemorySegment product =
        Opened.SYMBOLS.find("cblas_sgemm").orElseThrow(); // no handle: Java may never call it
    MemorySegment context = recur_open(set.ordinal(), threads, product);
    if (context.equals(MemorySegment.NULL)) {
      throw new DeviceException(
          "kernels: no context for %s with %d threads: out of memory".formatted(set, threads));
    }
    return new Kernels(set, context.reinterpret(1, Arena.ofAuto(), recur_h::recur_close));
  }

  /** Ends the team's threads. Later calls run on their callers' threads. */
  void rest() {
    recur_rest(context);
  }

  private static boolean isLoaded() {
    return FOUND.get();
  }

  /** Opens the library. Returns false if there is none. */
  private static boolean find(@Nullable String named) {
    Library.checkAccess();
    if (named != null) {
      open(Path.of(named).toAbsolutePath());
      return true;
    }
    Bundle bundle =
        new Bundle(
            "kernels",
            LIBRARY,
            "io/recur/device/" + Bundle.platform() + "/",
            List.of(System.mapLibraryName("recur")));
    if (bundle.isPresent()) {
      bundle.open(symbols());
      return true;
    }
    System.getLogger("io.recur")
        .log(
            System.Logger.Level.WARNING,
            "no C kernels for {0} in this build: the Java kernels work instead, several times"
                + " slower; build with make native, or name a library with -D{1}=FILE",
            Bundle.platform(),
            LIBRARY);
    return false;
  }

  private static void open(Path file) {
    try {
      Library.open(file, symbols());
    } catch (UnsatisfiedLinkError e) {
      throw new DeviceException(
          "kernels: %s cannot be opened: %s; name another librecur with -D%s=FILE, or -D%s=java"
              .formatted(file, e.getMessage(), LIBRARY, SET),
          e);
    }
  }

  /** {@return all functions of the bindings, so that a library of another version is refused} */
  private static List<String> symbols() {
    String end = "$address"; // jextract writes such a method for each function
    List<String> symbols = new ArrayList<>();
    for (Method method : recur_h.class.getMethods()) {
      if (method.getName().endsWith(end)) {
        symbols.add(method.getName().replace(end, ""));
      }
    }
    return symbols;
  }
}
