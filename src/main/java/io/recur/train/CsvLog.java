package io.recur.train;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** A file with a line of comma-separated values per pass. */
final class CsvLog {
  private final Path file;

  CsvLog(Path file) {
    this.file = file.toAbsolutePath();
  }

  /** Keeps the lines of the passes that are done, and writes the names where there are none. */
  void begin(int done, Set<String> measures) {
    try {
      List<String> lines = new ArrayList<>();
      lines.add("pass,step,loss,validation,rate");
      measures.forEach(name -> lines.set(0, lines.get(0) + "," + quoted(name)));
      if (done > 0 && Files.exists(file)) {
        Files.readAllLines(file).stream().skip(1).limit(done).forEach(lines::add);
      }
      Files.write(file, lines);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void append(Fit.Pass pass) {
    StringBuilder line = new StringBuilder();
    line.append(pass.number()).append(',').append(pass.step());
    line.append(',').append(pass.loss()).append(',').append(pass.validation());
    line.append(',').append(pass.rate());
    pass.measures().values().forEach(value -> line.append(',').append(value));
    try {
      Files.write(file, List.of(line), StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String quoted(String name) {
    return name.matches("[^,\"\\r\\n]*") ? name : '"' + name.replace("\"", "\"\"") + '"';
  }
}
