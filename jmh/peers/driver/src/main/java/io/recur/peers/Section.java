package io.recur.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The part of a page of results that one command writes, between two lines that mark it. */
final class Section {
  private static final String END = "<!-- to here -->";

  private Section() {}

  private static String begin(String command) {
    return "<!-- " + command + " writes from here -->";
  }

  /**
   * The part of a command, without its markers.
   *
   * @param page that has it
   * @param command such as {@code make bench-gpu}
   * @return what the command wrote
   * @throws IOException if the page cannot be read, or its markers are missing
   */
  static String of(Path page, String command) throws IOException {
    String all = Files.readString(page);
    int from = from(page, command, all);
    return all.substring(from, all.indexOf(END, from)).strip();
  }

  /** Where the text of a command begins; an error where its markers are missing. */
  private static int from(Path page, String command, String all) throws IOException {
    String begin = begin(command);
    int at = all.indexOf(begin);
    if (at < 0 || all.indexOf(END, at) < 0) {
      throw new IOException(page + ": its markers are missing: " + begin + " … " + END);
    }
    return at + begin.length();
  }

  /**
   * A page with another text in the part of a command.
   *
   * @param page whose part is replaced
   * @param command such as {@code make bench-gpu}
   * @param text what it wrote
   * @return the whole page
   * @throws IOException if the page cannot be read, or its markers are missing
   */
  static String replaced(Path page, String command, String text) throws IOException {
    String all = Files.readString(page);
    int from = from(page, command, all);
    return all.substring(0, from)
        + "\n\n"
        + text.strip()
        + "\n\n"
        + all.substring(all.indexOf(END, from));
  }

  /** Writes a text into the part of a command. */
  static void replace(Path page, String command, String text) throws IOException {
    Files.writeString(page, replaced(page, command, text));
  }
}
