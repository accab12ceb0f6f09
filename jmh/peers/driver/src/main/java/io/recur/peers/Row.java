package io.recur.peers;

/**
 * A rival in one pass of a work.
 *
 * @param job the work
 * @param pass forward, train or step
 * @param rival its name
 * @param version its version
 * @param rivalMs its median, or NaN
 * @param oursMs ours of the same rounds
 * @param difference largest absolute difference between the answers
 * @param failure why it was not timed, or null
 */
record Row(
    Job job,
    String pass,
    String rival,
    String version,
    double rivalMs,
    double oursMs,
    double difference,
    String failure) {
  double ratio() {
    return rivalMs / oursMs;
  }

  double target() {
    return job.target(pass, rival);
  }

  boolean isMeasured() {
    return failure == null;
  }
}
