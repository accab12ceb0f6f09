package io.recur.device.natives;

import io.recur.bindings.Opened;
import io.recur.device.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Opens library files for the bindings.
 *
 * <p>A file is opened for the whole process and stays open until the process ends. So several class
 * loaders share it, with its threads and settings, and the collection of a class loader does not
 * unload code that a thread still runs.
 */
public final class Library {
  private Library() {}

  /**
   * Opens a file. The bindings find its symbols if it has all of {@code symbols}. The system runs
   * the file's initialisers in any case.
   *
   * @param file the file
   * @param symbols the symbols that it must have
   * @throws UnsatisfiedLinkError if the file cannot be opened or lacks symbols; the message gives
   *     the system's reason or the missing symbols
   */
  public static void open(Path file, List<String> symbols) {
    SymbolLookup library = opened(file.toAbsolutePath());
    List<String> missing = new ArrayList<>();
    for (String symbol : symbols) {
      if (library.find(symbol).isEmpty()) {
        missing.add(symbol);
      }
    }
    if (!missing.isEmpty()) {
      throw new UnsatisfiedLinkError("it lacks " + String.join(", ", missing));
    }
    Opened.add(library);
  }

  private static SymbolLookup opened(Path file) {
    try {
      return SymbolLookup.libraryLookup(file, Arena.global());
    } catch (IllegalArgumentException e) {
      System.load(file.toString()); // fails too, and says why
      return SymbolLookup.libraryLookup(file, Arena.global());
    }
  }

  /**
   * Throws if the JVM denies native access, before the first native call.
   *
   * @throws DeviceException if native access is denied; the message names the option to set
   */
  public static void checkAccess() {
    try {
      MemorySegment.NULL.reinterpret(0); // restricted like every later native call
    } catch (IllegalCallerException e) {
      Module module = Library.class.getModule();
      throw new DeviceException(
          """
          natives: %s; start the JVM with --enable-native-access=%s, or set Enable-Native-Access: \
          ALL-UNNAMED in the manifest of a jar that is run with java -jar"""
              .formatted(e.getMessage(), module.isNamed() ? module.getName() : "ALL-UNNAMED"),
          e);
    }
  }
}
