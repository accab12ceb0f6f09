package io.recur.serve.http;

import io.recur.io.json.Json;
import io.recur.serve.Counts;
import io.recur.serve.Distributions;
import io.recur.serve.Histogram;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.ToLongFunction;

/** What is counted, in the text format of Prometheus. */
final class Metrics {
  static final String TYPE = "text/plain; version=0.0.4; charset=utf-8";
  private static final double MICROS = 1e6;

  private final List<Served> models;
  private final Map<Integer, LongAdder> answers = new ConcurrentHashMap<>();

  Metrics(List<Served> models) {
    this.models = models;
  }

  void answered(int status) {
    answers.computeIfAbsent(status, code -> new LongAdder()).increment();
  }

  String text() {
    StringBuilder text = new StringBuilder();
    List<Counts> counts = new ArrayList<>();
    models.forEach(model -> counts.add(model.model().sessions().counts()));
    counter(text, counts, "steps", "requests that a step of the model answered", Counts::requests);
    counter(text, counts, "batches", "steps of the model", Counts::batches);
    counter(text, counts, "repeated", "requests answered again", Counts::repeated);
    counter(text, counts, "refused", "requests that were not served", Counts::refused);
    counter(text, counts, "rejected", "requests that found a full queue", Counts::rejected);
    counter(text, counts, "failed", "sessions that met what is no number", Counts::failed);
    counter(text, counts, "not_stored", "times that a store took no session", Counts::notStored);
    gauge(text, counts, "sessions", "sessions in memory", Counts::sessions);
    gauge(text, counts, "sessions_stored", "sessions in the store", Counts::stored);
    gauge(text, counts, "waiting", "requests that wait", Counts::waiting);
    gauge(text, counts, "table_bytes", "native memory of the states", Counts::bytes);
    histogram(text, "batch_size", "sessions per step of the model", 1, its -> its.batches());
    histogram(text, "wait_seconds", "until a request's batch begins", MICROS, its -> its.waits());
    head(text, "recur_request_seconds", "histogram", "from a request's body to its answer");
    models.forEach(its -> samples(text, its, "recur_request_seconds", MICROS, its.micros()));
    head(text, "recur_http_requests_total", "counter", "answers by their status");
    new TreeMap<>(answers)
        .forEach(
            (code, count) ->
                text.append(
                    "recur_http_requests_total{code=\"%d\"} %d\n".formatted(code, count.sum())));
    return text.toString();
  }

  private static void head(StringBuilder text, String name, String type, String help) {
    text.append("# HELP %s %s\n# TYPE %s %s\n".formatted(name, help, name, type));
  }

  private void counter(
      StringBuilder text,
      List<Counts> counts,
      String name,
      String help,
      ToLongFunction<Counts> value) {
    head(text, "recur_" + name + "_total", "counter", help);
    values(text, counts, "recur_" + name + "_total", value);
  }

  private void gauge(
      StringBuilder text,
      List<Counts> counts,
      String name,
      String help,
      ToLongFunction<Counts> value) {
    head(text, "recur_" + name, "gauge", help);
    values(text, counts, "recur_" + name, value);
  }

  private void values(
      StringBuilder text, List<Counts> counts, String name, ToLongFunction<Counts> value) {
    for (int i = 0; i < models.size(); i++) {
      text.append(name).append('{').append(labels(models.get(i))).append("} ");
      text.append(value.applyAsLong(counts.get(i))).append('\n');
    }
  }

  private static String labels(Served its) {
    return "model=%s,version=%s"
        .formatted(Json.quoted(its.model().name()), Json.quoted(its.model().version()));
  }

  /** One of the histograms of a model's sessions. */
  private interface Its {
    Histogram of(Distributions all);
  }

  private void histogram(StringBuilder text, String name, String help, double unit, Its its) {
    head(text, "recur_" + name, "histogram", help);
    for (Served model : models) {
      Histogram histogram = its.of(Distributions.of(model.model().sessions()));
      samples(text, model, "recur_" + name, unit, histogram);
    }
  }

  private static void samples(
      StringBuilder text, Served model, String name, double unit, Histogram histogram) {
    long[] bounds = histogram.bounds();
    long[] counts = histogram.counts();
    String labels = labels(model);
    long upTo = 0;
    for (int i = 0; i < counts.length; i++) {
      upTo += counts[i];
      String bound = i < bounds.length ? Double.toString(bounds[i] / unit) : "+Inf";
      text.append("%s_bucket{%s,le=\"%s\"} %d\n".formatted(name, labels, bound, upTo));
    }
    text.append("%s_sum{%s} %s\n".formatted(name, labels, histogram.sum() / unit));
    text.append("%s_count{%s} %d\n".formatted(name, labels, upTo));
  }
}
