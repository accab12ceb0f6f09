package io.recur.cli;

import java.util.Arrays;

/** The characters that a model knows, in the order of their code points, and their numbers. */
final class Vocabulary {
  private final int[] characters;

  private Vocabulary(int[] characters) {
    this.characters = characters;
  }

  /** The distinct characters of a text. */
  static Vocabulary of(String text) {
    return new Vocabulary(text.codePoints().sorted().distinct().toArray());
  }

  int size() {
    return characters.length;
  }

  /** All characters in order, as a checkpoint keeps them. */
  String text() {
    return new String(characters, 0, characters.length);
  }

  /**
   * The numbers of a text's characters.
   *
   * @throws IllegalArgumentException naming the first character that is unknown, and where it is
   */
  int[] encode(String text) {
    int[] codes = text.codePoints().toArray();
    for (int i = 0; i < codes.length; i++) {
      int found = number(codes[i]);
      if (found < 0) {
        throw new IllegalArgumentException(
            """
            the character %s (U+%04X) at position %d is not among the %d that the model knows; \
            'recur info' lists them"""
                .formatted(Printable.of(codes[i]), codes[i], i, characters.length));
      }
      codes[i] = found;
    }
    return codes;
  }

  /** The number of a character, or less than 0. */
  int number(int character) {
    return Arrays.binarySearch(characters, character);
  }

  String decode(int... numbers) {
    StringBuilder text = new StringBuilder();
    for (int number : numbers) {
      text.appendCodePoint(characters[number]);
    }
    return text.toString();
  }

  /** The characters for a person to read: control characters as escapes. */
  String printable() {
    StringBuilder text = new StringBuilder();
    for (int character : characters) {
      text.append(Printable.of(character));
    }
    return text.toString();
  }
}
