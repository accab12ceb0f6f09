package io.recur.io.optional;

/** The libraries that users add: what to add of each, and the error of a call without it. */
public enum OptionalLibrary {
  /** Reads HDF5, for files of Keras. */
  JHDF("io.jhdf:jhdf:0.9.4", "io.jhdf,org.apache.commons.lang3", "io.jhdf.HdfFile"),

  /** Runs topologies of records. */
  KAFKA_STREAMS(
      "org.apache.kafka:kafka-streams:4.4.0",
      "kafka.streams,kafka.clients",
      "org.apache.kafka.streams.Topology"),

  /** Keeps sessions that are idle. */
  ROCKSDB("org.rocksdb:rocksdbjni:10.1.3", "rocksdbjni", "org.rocksdb.RocksDB"),

  /** Draws bars in a terminal. */
  PROGRESS_BAR(
      "me.tongfei:progressbar:0.10.2",
      "me.tongfei.progressbar",
      "me.tongfei.progressbar.ProgressBar"),

  /** Draws charts. */
  CHART(
      "org.knowm.xchart:xchart:3.8.8", "org.knowm.xchart,java.desktop", "org.knowm.xchart.XYChart");

  private final String coordinates;
  private final String modules;
  private final String type;

  OptionalLibrary(String coordinates, String modules, String type) {
    this.coordinates = coordinates;
    this.modules = modules;
    this.type = type;
  }

  /** {@return group, artifact and version, as Maven Central has them} */
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
      Class.forName(type, false, OptionalLibrary.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      throw missing(where, e);
    }
  }

  /**
   * The error of a call that has met no library, or a part of one.
   *
   * @param where the call
   * @param cause what Java has thrown
   * @return the error, which names what to add
   */
  public IllegalStateException missing(String where, Throwable cause) {
    return new IllegalStateException(
        """
        %s: it needs a library that is not there; add %s to the class path, or to the module path \
        with --add-modules %s (%s)"""
            .formatted(where, coordinates, modules, cause),
        cause);
  }
}
