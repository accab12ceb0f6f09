package io.recur.serve;

import io.recur.nn.StateBatch;
import java.nio.ByteBuffer;

/**
 * A model that sessions are stepped by. Its number and its states are for all threads once it
 * serves; the rest is the stepping thread's.
 */
final class Version implements AutoCloseable {
  final Batch batch;
  final float[] initial;

  /** Tells apart models whose states do not fit each other. */
  final int statesChecksum;

  /** What a file calls the model. */
  private final ByteBuffer model;

  /** Its sessions in the store. */
  long stored;

  /** Whether it serves also while no session has it. */
  boolean isKept;

  private int number;
  private int slot = -1;

  Version(Batch batch) {
    this.batch = batch;
    this.initial = batch.states().initial();
    this.statesChecksum = SessionFile.checksum(SessionFile.statesOf(batch.states()));
    this.model = SessionFile.model(batch.states());
  }

  /**
   * Begins to serve.
   *
   * @param slot its number in the table
   */
  void begin(int number, int slot) {
    this.number = number;
    this.slot = slot;
  }

  int number() {
    return number;
  }

  int slot() {
    return slot;
  }

  /** The model's structure, for people. */
  String label() {
    return states().snapshot(initial).label();
  }

  /** What a file calls the model: its structure. */
  ByteBuffer model() {
    return model.duplicate();
  }

  boolean isSameModel(Version other) {
    return model.equals(other.model);
  }

  StateBatch states() {
    return batch.states();
  }

  @Override
  public void close() {
    batch.close();
  }
}
