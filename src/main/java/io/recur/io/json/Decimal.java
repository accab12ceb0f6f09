package io.recur.io.json;

/** Numbers of JSON as their digits. */
final class Decimal {
  /** Stands for more than 18 digits behind leading zeros. */
  private static final long TOO_MANY = Long.MAX_VALUE;

  /** The least number of 18 digits, the most that have a place. */
  private static final long FULL = 100_000_000_000_000_000L;

  /** Each whole number up to this one is a double. */
  private static final long MOST_EXACT = 1L << 53;

  /** The largest power of ten that is a double, as all below it are. */
  private static final double MOST_POWER = 1e22;

  private Decimal() {}

  /** The digits with one more behind them. */
  static long append(long digits, int digit) {
    return digits < FULL ? 10 * digits + digit : TOO_MANY;
  }

  /**
   * The double that is nearest to digits / power, for the digits as they were appended.
   *
   * <p>Digits that are no double are split into two. The quotient of the first is corrected by that
   * of the remainder, which fma gives exactly, and of the second. The sum before it is rounded is
   * within 2⁻⁵⁰ units in the last place of the number, so that both ends of a wider interval round
   * to the nearest double, unless the number is next to the middle of two.
   *
   * @param power 1, times 10 for each digit behind the point
   * @return NaN where there are too many digits, or the nearest one cannot be told
   */
  static double value(long digits, double power) {
    boolean isExact = digits <= MOST_EXACT;
    if (digits == TOO_MANY || power > MOST_POWER || power == 1 && !isExact) {
      return Double.NaN;
    }
    double first = digits / power;
    if (isExact) {
      return first; // rounded once
    }
    double high = digits;
    double rest = (Math.fma(-first, power, high) + (digits - (long) high)) / power;
    double error = 0x1p-40 * Math.ulp(first);
    double low = first + (rest - error);
    return low == first + (rest + error) ? low : Double.NaN;
  }

  /** Whether a word is a number as JSON has it. Its characters are few. */
  static boolean isOne(String word) {
    int i = word.startsWith("-") ? 1 : 0;
    int whole = digits(word, i);
    if (whole == i || word.charAt(i) == '0' && whole > i + 1) {
      return false;
    }
    i = whole;
    if (i < word.length() && word.charAt(i) == '.') {
      int end = digits(word, i + 1);
      if (end == i + 1) {
        return false;
      }
      i = end;
    }
    if (i < word.length() && (word.charAt(i) == 'e' || word.charAt(i) == 'E')) {
      int from = i + 1;
      from += from < word.length() && "+-".indexOf(word.charAt(from)) >= 0 ? 1 : 0;
      i = digits(word, from);
      if (i == from || i > from + 9) {
        return false;
      }
    }
    return i == word.length();
  }

  private static int digits(String word, int from) {
    int i = from;
    while (i < word.length() && word.charAt(i) >= '0' && word.charAt(i) <= '9') {
      i++;
    }
    return i;
  }
}
