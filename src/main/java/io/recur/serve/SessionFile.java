package io.recur.serve;

import io.recur.grad.ShapeException;
import io.recur.io.files.WholeFile;
import io.recur.nn.Snapshot;
import io.recur.nn.StateBatch;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

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
 * bytes; their CRC-32C, 4 bytes. Numbers are little-endian. A block of no session is the model of
 * those behind it: {@code RCSS}, version 1, values of a state, label and kinds as text; the first
 * block is one. The last block has length 8: the number of all sessions. Between them, for each
 * session: bytes of the text of its id, 0 for a number; 1 where it has failed; the id; the number
 * of the last step; rows and length of the last answer, and its values; the state.
 *
 * <p>A file holds no weights. Its sessions get the newest version of their model that serves where
 * they are restored.
 */
public final class SessionFile {
  static final int MAGIC = 0x52435353; // "RCSS"
  static final int VERSION = 1;

  /** The bytes before and behind those of a block. */
  static final int HEAD_BYTES = 8;

  static final int CHECKSUM_BYTES = 4;

  /** The sessions of a block have about as many bytes. */
  private static final int BLOCK_BYTES = 1 << 20;

  private SessionFile() {}

  /**
   * Writes all sessions that are open and in memory. Those that are opened or closed meanwhile may
   * be in it or not.
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
          try (Arena arena = Arena.ofShared()) {
            Block block = new Block(arena, BLOCK_BYTES);
            Block other = new Block(arena, BLOCK_BYTES);
            count[0] = writeAll(sessions.calls(), channel, block, other);
            ByteBuffer end = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
            block.put(end.putLong(count[0]).flip());
            block.write(channel, 0);
          }
        });
    return count[0];
  }

  /** Writes the sessions of each model, also of one that replaces others meanwhile. */
  private static long writeAll(Calls calls, FileChannel channel, Block block, Block other)
      throws IOException {
    List<Version> written = new ArrayList<>();
    long count = 0;
    Version next = unwritten(calls, written);
    while (next != null) {
      written.add(next);
      count += write(calls, channel, block, other, next);
      next = unwritten(calls, written);
    }
    if (count == 0) {
      block.put(written.getLast().model());
      block.write(channel, 0);
    }
    return count;
  }

  /** The oldest version whose model has not been written. */
  private static @Nullable Version unwritten(Calls calls, List<Version> written) {
    TableCall call = new TableCall(Waiting.Kind.VERSIONS, Id.of(0));
    calls.answer(call);
    return call.serving.stream()
        .filter(version -> written.stream().noneMatch(version::isSameModel))
        .findFirst()
        .orElse(null);
  }

  /**
   * Writes the sessions of a model behind the model, which alone would hold up a restore. The
   * stepping thread packs a block while the one before it is written.
   */
  private static long write(
      Calls calls, FileChannel channel, Block first, Block second, Version version)
      throws IOException {
    long count = 0;
    Block block = first;
    TableCall call = pack(calls, version, block, 0);
    while (true) {
      calls.answered(call);
      int row = call.next;
      boolean isLarger = call.stored == 0 && row >= 0; // one session than the block
      if (isLarger) {
        block.ensure(call.storedBytes);
        call = pack(calls, version, block, row);
        continue;
      }
      Block other = block == first ? second : first;
      TableCall next = row >= 0 ? pack(calls, version, other, row) : null;
      try {
        if (call.stored > 0) {
          if (count == 0) {
            Block.of(version.model()).write(channel, 0);
          }
          block.length(call.storedBytes);
          block.write(channel, call.stored);
          count += call.stored;
        }
      } finally {
        if (next != null) {
          calls.settle(next);
        }
      }
      if (next == null) {
        return count;
      }
      block = other;
      call = next;
    }
  }

  /** Asks for the sessions from a row on. */
  private static TableCall pack(Calls calls, Version version, Block block, int row) {
    TableCall call = new TableCall(Waiting.Kind.STORE, Id.of(0));
    call.version = version;
    call.next = row;
    call.memory = block.memory();
    calls.send(call);
    return call;
  }

  /** What a file calls a model: sessions of another model differ in it. */
  static ByteBuffer model(StateBatch states) {
    Snapshot begin = states.snapshot(states.initial());
    byte[] text =
        (begin.label() + "\n" + String.join("\n", begin.kinds())).getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(12 + text.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(MAGIC)
        .putInt(VERSION)
        .putInt(states.floats())
        .put(text)
        .flip();
  }

  /** The kinds and sizes of the states of a model, which tell whether those of another one fit. */
  static ByteBuffer statesOf(StateBatch states) {
    Snapshot begin = states.snapshot(states.initial());
    StringBuilder text = new StringBuilder();
    for (int r = 0; r < begin.kinds().size(); r++) {
      text.append(begin.kinds().get(r));
      begin.states().get(r).forEach(part -> text.append(' ').append(part.rows()));
      text.append('\n');
    }
    return ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.UTF_8));
  }

  static int checksum(ByteBuffer bytes) {
    CRC32C sum = new CRC32C();
    sum.update(bytes.duplicate());
    return (int) sum.getValue();
  }

  /**
   * Opens the sessions of a file, each with its state, the number of its last step and that step's
   * answer. A session that is open already becomes the one of the file. The whole file is verified
   * before any session changes.
   *
   * @param sessions of the same model, or with one that replaced it and still serves
   * @param path a file of {@link #write}
   * @return the number of sessions that it has
   * @throws IOException if the file cannot be read, is damaged or is none of this kind; no session
   *     has then changed
   * @throws ShapeException if it is of another model; no session has then changed
   */
  public static long restore(Sessions sessions, Path path) throws IOException {
    Calls calls = sessions.calls();
    TableCall asked = new TableCall(Waiting.Kind.VERSIONS, Id.of(0));
    calls.answer(asked);
    try (Arena arena = Arena.ofShared()) {
      SessionFileReader reader =
          new SessionFileReader(
              path,
              new Block(arena, BLOCK_BYTES),
              new Block(arena, BLOCK_BYTES),
              asked.serving.reversed());
      reader.read((version, memory) -> {});
      try (Restoring restoring = new Restoring(calls)) {
        long count = reader.read(restoring);
        restoring.await();
        return count;
      }
    }
  }

  /** Has the stepping thread take a block while the next one is read. */
  private static final class Restoring implements SessionFileReader.Each, AutoCloseable {
    private final Calls calls;
    private @Nullable TableCall last;

    Restoring(Calls calls) {
      this.calls = calls;
    }

    @Override
    public void take(Version version, MemorySegment sessions) {
      TableCall call = new TableCall(Waiting.Kind.RESTORE_ALL, Id.of(0));
      call.version = version;
      call.memory = sessions;
      TableCall before = last;
      last = call;
      calls.send(call);
      if (before != null) {
        calls.answered(before);
      }
    }

    /** Waits until the last block is taken. */
    void await() {
      if (last != null) {
        calls.answered(last);
      }
    }

    @Override
    public void close() {
      if (last != null) {
        calls.settle(last);
      }
    }
  }
}
