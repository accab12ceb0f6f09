package io.recur.serve.http;

import io.recur.io.json.Json;
import io.recur.serve.Histogram;

/** A model and what answers for it. */
final class Served {
  private final ServedModel model;
  private final Sequences sequences;
  private final Histogram micros =
      Histogram.of(
          100,
          200,
          500,
          1_000,
          2_000,
          5_000,
          10_000,
          20_000,
          50_000,
          100_000,
          200_000,
          500_000,
          1_000_000,
          10_000_000);

  final Inference inference;
  final Generation generation;
  final States states;

  Served(ServedModel model, ServerSettings settings) {
    this.model = model;
    this.sequences = new Sequences(model, settings.mostSessions());
    this.inference = new Inference(model, sequences);
    this.generation = new Generation(model, sequences, settings.mostSymbols());
    this.states = new States(sequences);
  }

  ServedModel model() {
    return model;
  }

  /** The µs from when a request is begun until its answer is there. */
  Histogram micros() {
    return micros;
  }

  /** The protocol's metadata. A size that is open, or not known, is −1. */
  String metadata() {
    String type = model.takesSymbols() ? "INT64" : "FP32";
    String in = model.takesSymbols() ? "[-1]" : "[-1, %d]".formatted(size(model.in()));
    return """
        {"name": %s, "versions": [%s], "platform": "recur", \
        "inputs": [{"name": %s, "datatype": "%s", "shape": %s}], \
        "outputs": [{"name": %s, "datatype": "FP32", "shape": [-1, %d]}], \
        "vocabulary": %s}"""
        .formatted(
            Json.quoted(model.name()),
            Json.quoted(model.version()),
            Json.quoted(model.input()),
            type,
            in,
            Json.quoted(model.output()),
            size(model.out()),
            model.isOfText());
  }

  private static int size(int known) {
    return known == 0 ? -1 : known;
  }
}
