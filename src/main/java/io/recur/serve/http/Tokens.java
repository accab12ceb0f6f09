package io.recur.serve.http;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Who may call, and how often. The time of a comparison does not depend on the token: digests of
 * one length are compared, with all tokens.
 */
final class Tokens {
  private static final String SCHEME = "Bearer ";

  private final byte[][] digests;

  /** For each token when, by its rate, its next request would come; one for all where none is. */
  private final AtomicLong[] next;

  private final long nanosPerRequest;

  Tokens(List<String> tokens, int requestsPerSecond) {
    digests = tokens.stream().map(Tokens::digest).toArray(byte[][]::new);
    next = new AtomicLong[Math.max(1, digests.length)];
    for (int i = 0; i < next.length; i++) {
      next[i] = new AtomicLong(System.nanoTime());
    }
    nanosPerRequest = requestsPerSecond == 0 ? 0 : TimeUnit.SECONDS.toNanos(1) / requestsPerSecond;
  }

  private static byte[] digest(String token) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // each Java has it
    }
  }

  /**
   * Lets a request pass.
   *
   * @param authorisation its header
   * @throws Refusal if it has no token that is known, or comes too soon
   */
  void admit(@Nullable String authorisation) {
    int number = digests.length == 0 ? 0 : number(authorisation);
    if (number < 0) {
      throw new Refusal(
          Refusal.UNAUTHORISED,
          authorisation == null
              ? "authorisation: none; need the header Authorization: Bearer TOKEN"
              : "authorisation: the token is not known");
    }
    if (nanosPerRequest > 0) {
      pace(next[number]);
    }
  }

  /** The number of the token of a header; -1 where it is not known. */
  private int number(@Nullable String authorisation) {
    if (authorisation == null
        || !authorisation.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
      return -1;
    }
    byte[] digest = digest(authorisation.substring(SCHEME.length()).strip());
    int number = -1;
    for (int i = 0; i < digests.length; i++) {
      number = MessageDigest.isEqual(digest, digests[i]) ? i : number;
    }
    return number;
  }

  /** A second's worth of requests may come at once, then one each time that its rate allows. */
  private void pace(AtomicLong next) {
    long now = System.nanoTime();
    long second = TimeUnit.SECONDS.toNanos(1);
    while (true) {
      long due = next.get();
      long from = due - now > 0 ? due : now;
      if (from - now > second - nanosPerRequest) {
        throw new Refusal(
            Refusal.TOO_MANY,
            "requests: %d per second are allowed; send it again later"
                .formatted(second / nanosPerRequest),
            1);
      }
      if (next.compareAndSet(due, from + nanosPerRequest)) {
        return;
      }
    }
  }
}
