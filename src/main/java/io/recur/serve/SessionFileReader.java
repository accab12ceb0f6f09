package io.recur.serve;

import io.recur.grad.ShapeException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads a {@link SessionFile} from its beginning to its end, and verifies each block and session.
 */
final class SessionFileReader {
  /** What is done with the sessions of a block. */
  @FunctionalInterface
  interface Each {
    /**
     * Takes sessions.
     *
     * @param version whose model they have
     * @param sessions packed, valid until this returns from the block after it
     */
    void take(Version version, MemorySegment sessions);
  }

  private final Path path;
  private Block block;
  private Block other;
  private final List<Version> versions;

  /**
   * Begins with a file.
   *
   * @param block for every second of its blocks
   * @param other for those between
   * @param versions that sessions may get, the first one that has the model
   */
  SessionFileReader(Path path, Block block, Block other, List<Version> versions) {
    this.path = path;
    this.block = block;
    this.other = other;
    this.versions = versions;
  }

  /** Reads the file once, and returns the number of its sessions. */
  long read(Each each) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      return read(channel, each);
    } catch (Block.DamagedBlock e) {
      throw wrong(e.getMessage(), null);
    }
  }

  private long read(FileChannel channel, Each each) throws IOException {
    Version version = null;
    long count = 0;
    while (true) {
      int sessions = block.read(channel);
      ByteBuffer content = block.buffer();
      boolean isEnd = content.remaining() == 8 && channel.position() == channel.size();
      if (version != null && sessions == 0 && isEnd) {
        long said = content.getLong();
        if (said != count) {
          throw wrong("it has %d sessions and says %d".formatted(count, said), null);
        }
        return count;
      }
      if (version == null || sessions == 0) {
        version = version(content, sessions);
      } else {
        check(version, sessions);
        each.take(version, block.content());
        count += sessions;
        Block taken = block;
        block = other;
        other = taken;
      }
    }
  }

  private Version version(ByteBuffer model, int sessions) throws IOException {
    if (sessions != 0
        || model.remaining() < 12
        || model.getInt(0) != SessionFile.MAGIC
        || model.getInt(4) != SessionFile.VERSION) {
      throw wrong("it is no file of sessions of version " + SessionFile.VERSION, null);
    }
    for (Version version : versions) {
      if (version.model().equals(model)) {
        return version;
      }
    }
    ByteBuffer mine = versions.getFirst().model();
    throw new ShapeException(
        "sessions: %s is of another model; a state has %d values there, %d here: %s there, %s here"
            .formatted(
                path,
                model.getInt(8),
                versions.getFirst().initial.length,
                text(model),
                text(mine)));
  }

  private static String text(ByteBuffer model) {
    return StandardCharsets.UTF_8.decode(model.duplicate().position(12)).toString();
  }

  /** Verifies the sessions of a block before any of them is taken. */
  private void check(Version version, int expected) throws IOException {
    MemorySegment content = block.content();
    PackedSessions sessions =
        new PackedSessions(content, 0, content.byteSize(), version.initial.length);
    int found = 0;
    try {
      while (sessions.next()) {
        sessions.id();
        found++;
      }
    } catch (IllegalArgumentException e) {
      throw wrong("a session has impossible sizes", e);
    }
    if (found != expected) {
      throw wrong("a block of %d sessions has %d".formatted(expected, found), null);
    }
  }

  private FileSystemException wrong(String what, @Nullable Throwable cause) {
    FileSystemException wrong =
        new FileSystemException(
            path.toString(), null, "sessions: " + what + "; the file is damaged or another one");
    wrong.initCause(cause);
    return wrong;
  }
}
