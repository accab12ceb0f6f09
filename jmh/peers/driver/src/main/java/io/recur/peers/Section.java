package io.recur.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The part of a page of results that one command writes, between two lines that mark it. */
final class Section {
  private static final String END = "<!-- to here -->";

  private Section() {}

  /**
   * A page with another text in the part of a command.
   *
   * @param page whose part is replaced
   * @param command such as {@code make bench-gpu}
   * @param text what it wrote, with a line's end
   * @return the whole page
   * @throws IOException if the page cannot be read, or its markers are missing
   */
  static String replaced(Path page, String command, String text) throws IOException {
    String begin = "<!-- " + command + " writes from here -->";
    String all = Files.readString(page);
    int from = all.indexOf(begin);
    int to = from < 0 ? -1 : all.indexOf(END, from);
    if (to < 0) {
      throw new IOException(page + ": its markers are missing: " + begin + " … " + END);
    }
    return all.substring(0, from) + begin + "\n\n" + text + "\n" + all.substring(to);
  }
}
