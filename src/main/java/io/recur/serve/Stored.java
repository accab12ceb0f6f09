package io.recur.serve;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * A session as values on the heap: what a file or a store holds of it. Its bytes are little-endian:
 * the bytes of the text of its id, 0 for a number; 1 where it has failed; the id; the number of its
 * last step; rows and length of the last answer, and its values; the state.
 *
 * @param number of its last step; -1 where it had none
 * @param answerRows of its last answer
 * @param answer the last answer; empty where its step had no number
 */
record Stored(Id id, boolean isFailed, long number, int answerRows, float[] answer, float[] state) {
  private static final int FIXED = 18;

  int bytes() {
    return FIXED + id.bytes() + Float.BYTES * (answer.length + state.length);
  }

  /** Sessions as bytes, behind some that the caller writes. */
  static ByteBuffer packed(int before, Stored... all) {
    int bytes = Arrays.stream(all).mapToInt(Stored::bytes).reduce(before, Math::addExact);
    ByteBuffer to = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN).position(before);
    for (Stored session : all) {
      to.put((byte) session.id.textBytes()).put((byte) (session.isFailed ? 1 : 0));
      session.id.write(to);
      to.putLong(session.number).putInt(session.answerRows).putInt(session.answer.length);
      put(to, session.answer);
      put(to, session.state);
    }
    return to;
  }

  private static void put(ByteBuffer to, float... values) {
    to.asFloatBuffer().put(values);
    to.position(to.position() + Float.BYTES * values.length);
  }

  /**
   * The next session.
   *
   * @throws RuntimeException of any kind if the bytes are those of no session
   */
  static Stored next(ByteBuffer from, int floats) {
    int text = from.get();
    boolean isFailed = from.get() != 0;
    Id id = Id.read(from, text);
    long number = from.getLong();
    int rows = from.getInt();
    float[] answer = take(from, from.getInt());
    return new Stored(id, isFailed, number, rows, answer, take(from, floats));
  }

  private static float[] take(ByteBuffer from, int count) {
    float[] values = new float[Math.min(count, from.remaining())];
    from.asFloatBuffer().get(values);
    from.position(from.position() + Float.BYTES * values.length);
    return values;
  }
}
