package io.recur.bindings;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * The libraries in which the generated classes find their symbols, in the order in which they were
 * opened.
 *
 * <p>jextract looks in what {@code System.load} gave to the class loader. The JVM gives a file to
 * one class loader alone, so the same jar in a second one would find nothing. {@code
 * bindings/generate} puts {@link #SYMBOLS} in that place: a file that is open in the process is
 * opened once more, whoever opened it first.
 */
public final class Opened {
  /** Of all the libraries. */
  public static final SymbolLookup SYMBOLS = Opened::find;

  private static final List<SymbolLookup> LIBRARIES = new CopyOnWriteArrayList<>();

  private Opened() {}

  /**
   * Adds a library behind the others.
   *
   * @param library that is open until the process ends
   */
  public static void add(SymbolLookup library) {
    LIBRARIES.add(library);
  }

  private static Optional<MemorySegment> find(String symbol) {
    for (SymbolLookup library : LIBRARIES) {
      Optional<MemorySegment> found = library.find(symbol);
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }
}
