package io.recur.cli;

/** Escapes text of unknown origin, so that it cannot move a terminal's cursor or hide anything. */
final class Printable {
  private Printable() {}

  static String of(String text) {
    StringBuilder shown = new StringBuilder(text.length());
    text.codePoints().forEach(character -> shown.append(of(character)));
    return shown.toString();
  }

  static String of(int character) {
    return switch (character) {
      case '\n' -> "\\n";
      case '\t' -> "\\t";
      case '\r' -> "\\r";
      default ->
          switch (Character.getType(character)) {
            case Character.CONTROL,
                Character.FORMAT,
                Character.LINE_SEPARATOR,
                Character.PARAGRAPH_SEPARATOR,
                Character.SURROGATE ->
                escape(character);
            default -> Character.toString(character);
          };
    };
  }

  private static String escape(int character) {
    String digits = Integer.toHexString(character);
    return "\\u" + "0".repeat(Math.max(0, 4 - digits.length())) + digits;
  }
}
