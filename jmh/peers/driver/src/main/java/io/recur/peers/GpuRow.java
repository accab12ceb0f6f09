package io.recur.peers;

import java.util.Locale;

/**
 * A pass of a work in a precision, as measured.
 *
 * @param work its name
 * @param pass forward, train or step
 * @param products the precision
 * @param oursMs our median; of bf16 where the precision is PyTorch's alone; NaN where there is none
 * @param rivalMs PyTorch's median in the same rounds, or NaN
 * @param oursApart how far our answer is from ours in float32
 * @param rivalApart how far PyTorch's is
 * @param failure why a figure is missing, or empty
 */
record GpuRow(
    String work,
    String pass,
    GpuWork.Products products,
    double oursMs,
    double rivalMs,
    double oursApart,
    double rivalApart,
    String failure) {
  static final String HEADER =
      "work,pass,precision,ours_ms,pytorch_ms,ratio,ours_max_diff,pytorch_max_diff,failure";

  double ratio() {
    return rivalMs / oursMs;
  }

  boolean isMeasured() {
    return !Double.isNaN(ratio());
  }

  boolean isOf(String work, String pass, GpuWork.Products products) {
    return this.work.equals(work) && this.pass.equals(pass) && this.products == products;
  }

  String csv() {
    return String.format(
        Locale.ROOT,
        "%s,%s,%s,%.6f,%.6f,%.4f,%.3e,%.3e,%s",
        work,
        pass,
        products,
        oursMs,
        rivalMs,
        ratio(),
        oursApart,
        rivalApart,
        failure.replace(',', ';'));
  }

  static GpuRow of(String line) {
    String[] cells = line.split(",", -1);
    return new GpuRow(
        cells[0],
        cells[1],
        GpuWork.Products.valueOf(cells[2].toUpperCase(Locale.ROOT)),
        Double.parseDouble(cells[3]),
        Double.parseDouble(cells[4]),
        Double.parseDouble(cells[6]),
        Double.parseDouble(cells[7]),
        cells[8]);
  }
}
