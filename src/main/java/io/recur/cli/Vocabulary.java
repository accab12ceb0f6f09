package io.recur.cli;

import java.util.Arrays;

/** The characters that a model knows, in the order of their code points, and their numbers. */
final class Vocabulary {
  private final int[] characters;

  private Vocabulary(int[] characters) {
    this.characters = characters;
  }

  /** {@return the distinct characters of a text} */
  static Vocabulary of(String text) {
    return new Vocabulary(text.codePoints().sorted().distinct().toArray());
  }

  int size() {
    return characters.length;
  }

  /** {@return all characters in order, as a checkpoint keeps them} */
  String text() {
    return new String(characters, 0, characters.length);
  }

  /**
   * {@return the numbers of a text's characters}
   *
   * @throws IllegalArgumentException if a character is unknown; the message names the first one and
   *     its position
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

  /** {@return the number of a character, or less than 0 if it is unknown} */
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

  /** {@return the characters for a person to read, control characters escaped} */
  String printable() {
    StringBuilder text = new StringBuilder();
    for (int character : characters) {
      text.append(Printable.of(character));
    }
    return text.toString();
  }
}
