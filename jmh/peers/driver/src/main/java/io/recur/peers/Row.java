package io.recur.peers;

import java.util.List;
import java.util.Locale;

/**
 * A rival beside us in one pass of a work.
 *
 * @param job the work
 * @param pass forward, train or step; or {@link Job#SHARE}, of which our figure is no time
 * @param products the precision
 * @param rival its name
 * @param version its version
 * @param rivalMs its median, or NaN
 * @param oursMs ours of the same rounds; of bf16 where the precision is the rival's alone; or NaN
 * @param ratio the rival's time over ours: above 1 we are faster; or NaN
 * @param rivalApart how far its answer is from ours in float32
 * @param oursApart how far our answer in this precision is from ours in float32
 * @param limit the least time that the machine needs
 * @param failure why a figure is missing, or empty
 */
record Row(
    Job job,
    String pass,
    Products products,
    String rival,
    String version,
    double rivalMs,
    double oursMs,
    double ratio,
    double rivalApart,
    double oursApart,
    Limit limit,
    String failure) {
  static final String HEADER =
      "work,pass,precision,rival,version,rival_ms,ours_ms,ratio,rival_max_diff,ours_max_diff,limit_ms,limit,failure";

  boolean isMeasured() {
    return !Double.isNaN(ratio);
  }

  /** The share of the machine's limit that we reach, or NaN. */
  double ofLimit() {
    return limit.share(oursMs);
  }

  /** The ratio that we want to reach, or 0. */
  double target() {
    return products.isOurs() ? job.target(pass, rival) : 0;
  }

  /** What our matrix products reach, or NaN. */
  double gigaflops() {
    double operations = Computed.of(job.work(), pass).operations();
    return operations == 0 ? Double.NaN : operations / oursMs / 1e6;
  }

  /** Whether it is a figure for the same thing, of whatever run. */
  boolean isOf(Row other) {
    return job.name().equals(other.job.name())
        && pass.equals(other.pass)
        && products == other.products
        && rival.equals(other.rival);
  }

  String csv() {
    return Table.format(
        "%s,%s,%s,%s,%s,%.6f,%.6f,%.4f,%.3e,%.3e,%.6f,%s,%s",
        job.name(),
        pass,
        products,
        rival,
        version.replace(',', ';'),
        rivalMs,
        oursMs,
        ratio,
        rivalApart,
        oursApart,
        limit.ms(),
        limit.by(),
        Table.withoutPaths(failure).replace(',', ';'));
  }

  /** A row that was written by {@link #csv}, of one of the jobs. */
  static Row of(String line, List<Job> jobs) {
    String[] cells = line.split(",", -1);
    return new Row(
        jobs.stream().filter(job -> job.name().equals(cells[0])).findFirst().orElseThrow(),
        cells[1],
        Products.valueOf(cells[2].toUpperCase(Locale.ROOT)),
        cells[3],
        cells[4],
        Double.parseDouble(cells[5]),
        Double.parseDouble(cells[6]),
        Double.parseDouble(cells[7]),
        Double.parseDouble(cells[8]),
        Double.parseDouble(cells[9]),
        new Limit(Double.parseDouble(cells[10]), cells[11]),
        cells[12]);
  }
}
