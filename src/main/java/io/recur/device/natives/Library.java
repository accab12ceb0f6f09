package io.recur.device.natives;

import io.recur.bindings.Opened;
import io.recur.device.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import java.util.List;

/**
 * Opens library files for the bindings.
 *
 * <p>A file is opened for the process and stays open until it ends. So class loaders beside each
 * other share it, with its threads and settings, and none that is collected takes the code from
 * under a thread that still runs in it.
 */
public final class Library {
  private Library() {}

  /**
   * Opens a file, and lets the bindings find its symbols if it has all that are needed. The system
   * runs code of the file in any case.
   *
   * @throws UnsatisfiedLinkError with the system's reason, or the symbols that are missing
   */
  public static void open(Path file, List<String> symbols) {
    SymbolLookup library = opened(file.toAbsolutePath());
    List<String> missing = symbols.stream().filter(s -> library.find(s).isEmpty()).toList();
    if (!missing.isEmpty()) {
      throw new UnsatisfiedLinkError("it lacks " + String.join(", ", missing));
    }
    Opened.add(library);
  }

  private static SymbolLookup opened(Path file) {
    try {
      return SymbolLookup.libraryLookup(file, Arena.global());
    } catch (IllegalArgumentException e) {
      System.load(file.toString()); // fails as well, and says why
      return SymbolLookup.libraryLookup(file, Arena.global());
    }
  }

  /**
   * Refuses a JVM that denies native access, before the first native call.
   *
   * @throws DeviceException with the option to set
   */
  public static void checkAccess() {
    try {
      MemorySegment.NULL.reinterpret(0); // as restricted as all that is to come
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
