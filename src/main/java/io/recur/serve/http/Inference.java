package io.recur.serve.http;

import io.recur.io.json.Json;
import io.recur.serve.Request;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The protocol's infer: one input of one step or one sequence, in JSON or as binary data behind it,
 * for a sequence of requests or none. One output comes back the way in which it is asked for.
 *
 * @param served that steps the request
 */
record Inference(Served served) {
  /** Of a float and what stands before the next one. */
  private static final int MOST_CHARACTERS = 17;

  private static final String HEADER_LENGTH = "Inference-Header-Content-Length";

  /** Answers a request by the version that is chosen. */
  static Reply infer(Call call, Choice choice) throws IOException {
    long begin = System.nanoTime();
    ByteBuffer body = ByteBuffer.wrap(call.body());
    int header = headerLength(call, body.remaining());
    Fields json = Fields.of("body", body.slice(0, header));
    Steps steps = Steps.of(json.object("parameters"));
    return choice.answered(
        steps.id(),
        steps.isStart(),
        (versions, served) ->
            new Inference(served).infer(begin, json, body.position(header), versions, steps));
  }

  /**
   * What a request says of its sequence.
   *
   * @param id none for a request by itself
   * @param number of the step; -1 for none
   * @param micros after which it is too late; 0 for never
   */
  private record Steps(
      Fields parameters,
      @Nullable SequenceId id,
      boolean isStart,
      boolean isEnd,
      long number,
      long micros) {
    static Steps of(Fields parameters) {
      Steps steps =
          new Steps(
              parameters,
              SequenceId.of(parameters.value("sequence_id")),
              parameters.isTrue("sequence_start"),
              parameters.isTrue("sequence_end"),
              parameters.whole("sequence_step", 0, Long.MAX_VALUE, -1),
              parameters.whole("timeout", 0, Long.MAX_VALUE, 0));
      if (steps.id == null && (steps.isStart || steps.isEnd || steps.number >= 0)) {
        throw parameters.wrong("sequence_id", "that of the sequence that starts, ends or steps");
      }
      return steps;
    }

    float[] stepped(Sequences sequences, Request plain, int version) {
      Request request = micros > 0 ? plain.within(micros) : plain;
      request = version > 0 ? request.ofVersion(version) : request;
      request = number < 0 ? request : request.numbered(number);
      request = isEnd ? request.ending() : request;
      return id == null ? sequences.single(request) : sequences.step(id, request, isStart);
    }
  }

  private ServedModel model() {
    return served.model();
  }

  private Reply infer(
      long begin, Fields json, ByteBuffer binary, ServedVersions versions, Steps steps) {
    ServedModel model = model();
    boolean isBinary = isBinary(json, steps.parameters().isTrue("binary_data_output"));
    String id = json.text("id", "");
    InputTensor input = InputTensor.read(model, json, binary);
    float[] answer = steps.stepped(versions.sequences(), input.request(), model.number());
    int rows =
        model.out() > 0 && answer.length % model.out() == 0 ? model.out() : rows(input, answer);
    Reply reply = reply(id, input.answerSizes(answer.length, rows), answer, isBinary);
    served.micros().add((System.nanoTime() - begin) / 1000);
    return reply;
  }

  private static int rows(InputTensor input, float... answer) {
    return answer.length % input.steps() == 0 ? answer.length / input.steps() : answer.length;
  }

  private static int headerLength(Call call, int body) {
    String given = call.header(HEADER_LENGTH);
    if (given == null) {
      return body;
    }
    if (!given.matches("\\d{1,9}") || Integer.parseInt(given) > body) {
      throw new Refusal(
          Refusal.BAD,
          "%s=%s, body=%d bytes; need the bytes of the JSON"
              .formatted(HEADER_LENGTH, Json.shown(given), body));
    }
    return Integer.parseInt(given);
  }

  private boolean isBinary(Fields json, boolean otherwise) {
    List<Fields> outputs = json.objects("outputs");
    boolean isBinary = otherwise;
    for (Fields output : outputs) {
      if (!output.text("name").equals(model().output())) {
        throw output.wrong(
            "name", "\"%s\", the output of %s".formatted(model().output(), model().name()));
      }
      Fields parameters = output.object("parameters");
      isBinary = parameters.has("binary_data") ? parameters.isTrue("binary_data") : otherwise;
    }
    if (outputs.size() > 1) {
      throw json.wrong("outputs", "one at most: model %s has one".formatted(model().name()));
    }
    return isBinary;
  }

  // The answer.

  private Reply reply(String id, int[] sizes, float[] answer, boolean isBinary) {
    StringBuilder json = new StringBuilder(256 + (isBinary ? 0 : MOST_CHARACTERS * answer.length));
    json.append("{\"model_name\": ").append(Json.quoted(model().name()));
    json.append(", \"model_version\": ").append(Json.quoted(model().version()));
    if (!id.isEmpty()) {
      json.append(", \"id\": ").append(Json.quoted(id));
    }
    json.append(", \"outputs\": [{\"name\": ").append(Json.quoted(model().output()));
    json.append(", \"datatype\": \"FP32\", \"shape\": ").append(Arrays.toString(sizes));
    if (isBinary) {
      json.append(", \"parameters\": {\"binary_data_size\": ")
          .append((long) answer.length * Float.BYTES)
          .append("}}]}");
      return binary(json.toString().getBytes(StandardCharsets.UTF_8), answer);
    }
    json.append(", \"data\": [");
    for (int i = 0; i < answer.length; i++) {
      json.append(i == 0 ? "" : ", ");
      append(json, answer[i]);
    }
    return Reply.json(json.append("]}]}").toString());
  }

  /** JSON has no infinity; readers make one of a number that is too large. */
  private static void append(StringBuilder json, float value) {
    if (Float.isInfinite(value)) {
      json.append(value > 0 ? "1e999" : "-1e999");
    } else {
      json.append(value);
    }
  }

  private static Reply binary(byte[] json, float... answer) {
    ByteBuffer all =
        ByteBuffer.allocate(Math.toIntExact(json.length + (long) answer.length * Float.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN)
            .put(json);
    all.asFloatBuffer().put(answer);
    return Reply.of(Reply.BYTES, all.array()).with(HEADER_LENGTH, Integer.toString(json.length));
  }
}
