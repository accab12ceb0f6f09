package io.recur.serve.kafka;

/**
 * Makes an answer of what the model gave for a record.
 *
 * <pre>{@code
 * Answer<String, float[], Boolean> alarm = (sensor, x, y) -> y[0] > 0.9f;
 * }</pre>
 *
 * @param <K> the keys
 * @param <V> the records
 * @param <R> the answers
 */
@FunctionalInterface
public interface Answer<K, V, R> {
  /**
   * The answer to a record.
   *
   * @param key of the session
   * @param value of the record
   * @param y what the model gave: rows × steps values, column-major, which are yours
   * @return the value of the record that is forwarded
   */
  R of(K key, V value, float[] y);
}
