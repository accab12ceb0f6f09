package io.recur.cli;

/** The {@code recur} command. */
public final class Main {
  private Main() {}

  public static void main(String[] arguments) {
    System.exit(0);
  }
}
