package io.recur.serve.http;

import io.recur.serve.SessionException;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The version that answers a request: that of its path, else that of its sequence; the newest where
 * it starts a sequence or has none.
 *
 * @param version that the path names; empty for none
 * @param versions that are served
 * @param settled those after a load that is under way
 */
record Choice(String version, ServedVersions versions, Supplier<ServedVersions> settled) {
  /**
   * Answers a request.
   *
   * @param id of its sequence; null for none
   * @param answer by the version that is chosen, which steps a request of that version first
   * @throws Refusal if the version is not served, or is not that of the sequence
   */
  Reply answered(
      @Nullable SequenceId id, boolean isStart, BiFunction<ServedVersions, Served, Reply> answer) {
    ServedVersions its = versions;
    while (true) {
      Served chosen = its.chosen(version, id, isStart);
      try {
        return answer.apply(its, chosen);
      } catch (SessionException e) {
        if (e.reason() != SessionException.Reason.VERSION) {
          throw e;
        }
      }
      ServedVersions now = settled.get();
      if (now == its) {
        throw its.refused(id, chosen);
      }
      its = now; // all sequences have moved at once meanwhile
    }
  }
}
