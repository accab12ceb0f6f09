package io.recur.serve.http;

import io.recur.io.json.Json;
import io.recur.serve.Counts;
import io.recur.serve.Distributions;
import io.recur.serve.Histogram;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;

/** What is counted, in the text format of Prometheus. */
final class Metrics {
  static final String TYPE = "text/plain; version=0.0.4; charset=utf-8";
  private static final double MICROS = 1e6;

  private final Supplier<Collection<ServedVersions>> served;
  private final Map<Integer, LongAdder> answers = new ConcurrentHashMap<>();

  /** Metrics of the models that are served when they are asked for. */
  Metrics(Supplier<Collection<ServedVersions>> served) {
    this.served = served;
  }

  void answered(int status) {
    answers.computeIfAbsent(status, code -> new LongAdder()).increment();
  }

  String text() {
    return new Text(List.copyOf(served.get())).text();
  }

  /** The sessions of a model are those of all its versions, with the label of the newest. */
  private final class Text {
    private final StringBuilder text = new StringBuilder();
    private final List<ServedVersions> models;
    private final List<Counts> counts;

    Text(List<ServedVersions> models) {
      this.models = models;
      this.counts = models.stream().map(model -> model.sessions().counts()).toList();
    }

    String text() {
      counter("steps", "requests that a step of the model answered", Counts::requests);
      counter("batches", "steps of the model", Counts::batches);
      counter("repeated", "requests answered again", Counts::repeated);
      counter("refused", "requests that were not served", Counts::refused);
      counter("rejected", "requests that found a full queue", Counts::rejected);
      counter("failed", "sessions that met what is no number", Counts::failed);
      counter("not_stored", "times that a store took no session", Counts::notStored);
      gauge("sessions", "sessions in memory", Counts::sessions);
      gauge("sessions_stored", "sessions in the store", Counts::stored);
      gauge("waiting", "requests that wait", Counts::waiting);
      gauge("table_bytes", "native memory of the states", Counts::bytes);
      head("recur_version_sessions", "gauge", "sessions of a version, in memory and in the store");
      models.forEach(
          model ->
              model
                  .serving()
                  .forEach((its, count) -> sample("recur_version_sessions", its, count)));
      histogram("batch_size", "sessions per step of the model", 1, Distributions::batches);
      histogram("wait_seconds", "until a request's batch begins", MICROS, Distributions::waits);
      head("recur_request_seconds", "histogram", "from a request's body to its answer");
      models.forEach(
          model ->
              model
                  .all()
                  .forEach(its -> samples(its, "recur_request_seconds", MICROS, its.micros())));
      head("recur_http_requests_total", "counter", "answers by their status");
      new TreeMap<>(answers)
          .forEach(
              (code, count) ->
                  text.append(
                      "recur_http_requests_total{code=\"%d\"} %d\n".formatted(code, count.sum())));
      return text.toString();
    }

    private void head(String name, String type, String help) {
      text.append("# HELP %s %s\n# TYPE %s %s\n".formatted(name, help, name, type));
    }

    private void counter(String name, String help, ToLongFunction<Counts> value) {
      head("recur_" + name + "_total", "counter", help);
      values("recur_" + name + "_total", value);
    }

    private void gauge(String name, String help, ToLongFunction<Counts> value) {
      head("recur_" + name, "gauge", help);
      values("recur_" + name, value);
    }

    private void values(String name, ToLongFunction<Counts> value) {
      for (int i = 0; i < models.size(); i++) {
        sample(name, models.get(i).newest(), value.applyAsLong(counts.get(i)));
      }
    }

    private void sample(String name, Served its, long value) {
      text.append("%s{%s} %d\n".formatted(name, labels(its), value));
    }

    private void histogram(
        String name, String help, double unit, Function<Distributions, Histogram> its) {
      head("recur_" + name, "histogram", help);
      for (ServedVersions model : models) {
        Histogram histogram = its.apply(Distributions.of(model.sessions()));
        samples(model.newest(), "recur_" + name, unit, histogram);
      }
    }

    private void samples(Served its, String name, double unit, Histogram histogram) {
      long[] bounds = histogram.bounds();
      long[] counts = histogram.counts();
      String labels = labels(its);
      long upTo = 0;
      for (int i = 0; i < counts.length; i++) {
        upTo += counts[i];
        String bound = i < bounds.length ? Double.toString(bounds[i] / unit) : "+Inf";
        text.append("%s_bucket{%s,le=\"%s\"} %d\n".formatted(name, labels, bound, upTo));
      }
      text.append("%s_sum{%s} %s\n".formatted(name, labels, histogram.sum() / unit));
      text.append("%s_count{%s} %d\n".formatted(name, labels, upTo));
    }

    private static String labels(Served its) {
      return "model=%s,version=%s"
          .formatted(Json.quoted(its.model().name()), Json.quoted(its.model().version()));
    }
  }
}
