package io.recur.silero;

/** A model of voice activity that remembers what each of its streams has said. */
interface Vad extends AutoCloseable {
  /** The samples that a call reads: the last ones of the chunk before, and the chunk. */
  int WINDOW = 576;

  int BEFORE = 64;
  int CHUNK = WINDOW - BEFORE;
  int RATE = 16_000;

  /** All streams begin. */
  void reset();

  /**
   * Hears the next chunk of each stream.
   *
   * @param windows of all streams, one after the other
   * @return the probability of speech in each
   */
  float[] hear(float[] windows) throws Exception;

  @Override
  void close();
}
