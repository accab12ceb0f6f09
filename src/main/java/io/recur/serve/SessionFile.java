package io.recur.serve;

import io.recur.grad.ShapeException;
import io.recur.io.files.WholeFile;
import io.recur.nn.Snapshot;
import io.recur.nn.StateBatch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/**
 * All sessions in one file. It is written while they are served: each session as it is between two
 * of its steps, the sessions one after the other. The file is replaced as a whole, so that after a
 * crash there is the old one or the new one.
 *
 * <pre>{@code
 * SessionFile.write(sessions, path);
 * long restored = SessionFile.restore(sessions, path);
 * }</pre>
 *
 * <p>The file is blocks, each of: its length and the number of its sessions, 4 bytes each; as many
 * bytes; their CRC-32C, 4 bytes. Numbers are little-endian. The first block, of no session, is the
 * model: version, values of a state, label and kinds as text. The last block has length 8: the
 * number of all sessions. Between them, for each session: bytes of the text of its id, 0 for a
 * number; 1 where it has failed; the id; the number of the last step; rows and length of the last
 * answer, and its values; the state.
 */
public final class SessionFile {
  private static final int MAGIC = 0x52435353; // "RCSS"
  private static final int VERSION = 1;

  /** The sessions of a block have about as many bytes. */
  static final int BLOCK_BYTES = 1 << 20;

  private SessionFile() {}

  /**
   * Writes all sessions that are in memory. Those that are opened or closed meanwhile may be in it
   * or not; those in a store stay there.
   *
   * @param sessions to be written, and served meanwhile
   * @param path the file
   * @return the number of sessions in the file
   * @throws IOException if the file cannot be written; an old file is then unchanged
   * @throws SessionException if the sessions were closed; an old file is then unchanged
   */
  public static long write(Sessions sessions, Path path) throws IOException {
    long[] count = {0};
    WholeFile.write(
        path,
        channel -> {
          write(channel, 0, model(sessions.calls().states()));
          count[0] = 0;
          int row = 0;
          while (row >= 0) {
            Waiting call = new Waiting(Waiting.Kind.STORE, Id.of(0));
            call.row = row;
            sessions.calls().answer(call);
            row = call.row;
            count[0] += call.stored.length;
            write(channel, call.stored.length, Stored.packed(0, call.stored));
          }
          write(
              channel, 0, ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(count[0]));
        });
    return count[0];
  }

  /** What a file is of: sessions of another model differ in it. */
  static ByteBuffer model(StateBatch states) {
    Snapshot begin = states.snapshot(states.initial());
    byte[] text =
        (begin.label() + "\n" + String.join("\n", begin.kinds())).getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(12 + text.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(MAGIC)
        .putInt(VERSION)
        .putInt(states.floats())
        .put(text);
  }

  private static void write(FileChannel channel, int sessions, ByteBuffer filled)
      throws IOException {
    filled.flip();
    int checksum = checksum(filled);
    ByteBuffer all =
        ByteBuffer.allocate(12 + filled.limit())
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(filled.limit())
            .putInt(sessions)
            .put(filled)
            .putInt(checksum)
            .flip();
    while (all.hasRemaining()) {
      channel.write(all);
    }
  }

  static int checksum(ByteBuffer bytes) {
    CRC32C sum = new CRC32C();
    sum.update(bytes.duplicate());
    return (int) sum.getValue();
  }

  // Reading.

  /** What is done with each block of sessions. */
  private interface Each {
    void take(Stored... sessions);
  }

  /**
   * Opens the sessions of a file, each with its state, the number of its last step and that step's
   * answer. A session that is open already becomes the one of the file. The whole file is verified
   * before any session changes.
   *
   * @param sessions of the same model
   * @param path a file of {@link #write}
   * @return the number of sessions that it has
   * @throws IOException if the file cannot be read, is damaged or is none of this kind; no session
   *     has then changed
   * @throws ShapeException if it is of another model; no session has then changed
   */
  public static long restore(Sessions sessions, Path path) throws IOException {
    Calls calls = sessions.calls();
    read(calls, path, all -> {});
    return read(
        calls,
        path,
        all -> {
          Waiting call = new Waiting(Waiting.Kind.RESTORE_ALL, Id.of(0));
          call.stored = all;
          calls.answer(call);
        });
  }

  private static long read(Calls calls, Path path, Each each) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      int[] sessions = new int[1];
      checkModel(calls, path, block(channel, path, sessions), sessions[0]);
      long count = 0;
      while (true) {
        ByteBuffer block = block(channel, path, sessions);
        if (sessions[0] == 0 && block.remaining() == 8 && channel.position() == channel.size()) {
          if (block.getLong() != count) {
            throw wrong(path, "it has other sessions than it says");
          }
          return count;
        }
        each.take(unpacked(path, block, sessions[0], calls.states().floats()));
        count += sessions[0];
      }
    }
  }

  /** Reads a block, verifies it, and notes the number of its sessions. */
  private static ByteBuffer block(FileChannel channel, Path path, int... sessions)
      throws IOException {
    ByteBuffer head = filled(channel, path, 8);
    int length = head.getInt();
    int count = head.getInt();
    if (length < 0 || count < 0 || length > channel.size() - channel.position() - 4) {
      throw wrong(path, "it ends within a block of %d bytes".formatted(length));
    }
    ByteBuffer block = filled(channel, path, length);
    if (filled(channel, path, 4).getInt() != checksum(block)) {
      throw wrong(path, "the checksum of a block does not fit");
    }
    sessions[0] = count;
    return block;
  }

  private static ByteBuffer filled(FileChannel channel, Path path, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes) < 0) {
        throw wrong(path, "it ends at byte %d".formatted(channel.size()));
      }
    }
    return bytes.flip();
  }

  private static void checkModel(Calls calls, Path path, ByteBuffer found, int sessions)
      throws IOException {
    if (sessions != 0
        || found.remaining() < 12
        || found.getInt(0) != MAGIC
        || found.getInt(4) != VERSION) {
      throw wrong(path, "it is no file of sessions of version " + VERSION);
    }
    ByteBuffer mine = model(calls.states()).flip();
    if (!mine.equals(found)) {
      throw new ShapeException(
          "sessions: %s is of another model; a state has %d values there, %d here: %s there, %s here"
              .formatted(path, found.getInt(8), mine.getInt(8), text(found), text(mine)));
    }
  }

  private static String text(ByteBuffer model) {
    return StandardCharsets.UTF_8.decode(model.duplicate().position(12)).toString();
  }

  private static Stored[] unpacked(Path path, ByteBuffer from, int count, int floats)
      throws IOException {
    try {
      Stored[] all = new Stored[Math.min(count, from.remaining())];
      for (int i = 0; i < count; i++) {
        all[i] = Stored.next(from, floats);
      }
      if (from.hasRemaining()) {
        throw wrong(
            path, "%d bytes follow the last session of a block".formatted(from.remaining()));
      }
      return all;
    } catch (RuntimeException e) {
      FileSystemException wrong = wrong(path, "a session has impossible sizes");
      wrong.initCause(e);
      throw wrong;
    }
  }

  private static FileSystemException wrong(Path path, String what) {
    return new FileSystemException(
        path.toString(), null, "sessions: " + what + "; the file is damaged or another one");
  }
}
