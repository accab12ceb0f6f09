package io.recur.serve.http;

import io.recur.serve.SessionException;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Chooses the version that answers a request: the one that its path names, else the one of its
 * sequence. If the request starts a sequence or has none, it is the newest.
 *
 * @param version the version that the path names; empty for none
 * @param versions the versions that are served now
 * @param settled waits for a load that is under way, and gives the versions that are then served
 */
record Choice(String version, ServedVersions versions, Supplier<ServedVersions> settled) {
  /**
   * Answers a request.
   *
   * @param id of the request's sequence; null for none
   * @param isStart whether the request starts its sequence
   * @param answer answers with the version that is chosen
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
      its = now; // a load has moved all sequences to another version meanwhile
    }
  }
}
