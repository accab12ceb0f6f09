package io.recur.serve.kafka;

/**
 * Thrown for a record that cannot be stepped, where nothing else was chosen for such records. Its
 * message has the key, topic, partition and offset. The states and the answers of other records are
 * not concerned: a {@code ProcessingExceptionHandler} may continue.
 */
public final class BadRecordException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /**
   * The exception for a record.
   *
   * @param bad the record
   */
  public BadRecordException(BadRecord<?, ?> bad) {
    super(
        bad.message()
            + "; skip it by onBad, answerBad or sendBadTo of the steps, or by a"
            + " ProcessingExceptionHandler",
        bad.reason());
  }
}
