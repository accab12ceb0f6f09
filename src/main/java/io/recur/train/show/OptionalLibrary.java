package io.recur.train.show;

/** Libraries that users add who want a bar or a picture; {@code recur-cli.jar} has them. */
public enum OptionalLibrary {
  /** Draws bars in a terminal. */
  PROGRESS_BAR("me.tongfei:progressbar:0.10.2", "me.tongfei.progressbar.ProgressBar"),

  /** Draws charts. */
  CHART("org.knowm.xchart:xchart:3.8.8", "org.knowm.xchart.XYChart");

  private final String coordinates;
  private final String of;

  OptionalLibrary(String coordinates, String of) {
    this.coordinates = coordinates;
    this.of = of;
  }

  /** {@return group, artifact and version, as Maven Central has it} */
  public String coordinates() {
    return coordinates;
  }

  /**
   * Refuses a call where the library is missing.
   *
   * @param where the call, for the error
   * @throws IllegalStateException if it is; the message names what to add
   */
  public void require(String where) {
    try {
      Class.forName(of, false, OptionalLibrary.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(
          "%s: it needs a library that is not there; add %s to the dependencies"
              .formatted(where, coordinates),
          e);
    }
  }
}
