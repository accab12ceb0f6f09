package io.recur.serve;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Where sessions are kept that nobody has used for a while, by key: {@link FileStore}, or one of a
 * user's over a database. One thread at a time uses it, the stepping thread of its sessions, which
 * waits for each call. An exception of another class counts as an {@link IOException}.
 *
 * <p>A key or a value is bytes that the store does not look into. A value is there once: {@link
 * #take} removes it, so that after a crash no session continues from a state that it has left.
 *
 * <pre>{@code
 * SessionStore memory = new SessionStore() {
 *   private final Map<String, byte[]> all = new HashMap<>();
 *   private String text(byte[] key) { return HexFormat.of().formatHex(key); }
 *   public void put(byte[] key, byte[] value) { all.put(text(key), value); }
 *   public boolean holds(byte[] key) { return all.containsKey(text(key)); }
 *   public byte[] take(byte[] key) { return all.remove(text(key)); }
 *   public long count() { return all.size(); }
 *   public void close() {}
 * };
 * }</pre>
 */
public interface SessionStore extends AutoCloseable {
  /**
   * Keeps a value that is not there.
   *
   * @param key 9 to 65 bytes
   * @param value any bytes
   * @throws IOException if it cannot be kept; it is then not there
   */
  void put(byte[] key, byte[] value) throws IOException;

  /**
   * Whether a value is there.
   *
   * @param key of the value
   * @return whether it is
   * @throws IOException if that cannot be found out
   */
  boolean holds(byte[] key) throws IOException;

  /**
   * Removes a value.
   *
   * @param key of the value
   * @return the value; null where there is none
   * @throws IOException if it cannot be read; it then stays
   */
  byte @Nullable [] take(byte[] key) throws IOException;

  /** {@return the number of values} */
  long count();

  /**
   * Ends its use; values stay where the store outlives this process.
   *
   * @throws IOException if what was kept may not be on the disk
   */
  @Override
  void close() throws IOException;
}
