package io.recur.serve.http;

import io.recur.io.json.Json;
import io.recur.serve.Histogram;

/** A version of a model. */
final class Served {
  private final ServedModel model;
  private final int[] characters;
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

  Served(ServedModel model) {
    this.model = model;
    this.characters = model.vocabulary().codePoints().toArray();
  }

  ServedModel model() {
    return model;
  }

  /** The code point of each row; none where it writes no text. */
  int[] characters() {
    return characters;
  }

  /** The µs from when a request is begun until its answer is there. */
  Histogram micros() {
    return micros;
  }

  /**
   * The protocol's metadata. A size that is open, or not known, is −1.
   *
   * @param versions of the model, as an array of JSON
   */
  String metadata(String versions) {
    String type = model.takesSymbols() ? "INT64" : "FP32";
    String in = model.takesSymbols() ? "[-1]" : "[-1, %d]".formatted(size(model.in()));
    return """
        {"name": %s, "versions": %s, "platform": "recur", \
        "inputs": [{"name": %s, "datatype": "%s", "shape": %s}], \
        "outputs": [{"name": %s, "datatype": "FP32", "shape": [-1, %d]}], \
        "vocabulary": %s}"""
        .formatted(
            Json.quoted(model.name()),
            versions,
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
