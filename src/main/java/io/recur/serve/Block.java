package io.recur.serve;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;

/**
 * A block of a {@link SessionFile} in native memory, which is used for one after the other:
 * sessions go from the table to it and from it to the file, by one copy each.
 */
final class Block {
  private final Arena arena;
  private ByteBuffer bytes;
  private MemorySegment memory;
  private int length;

  /**
   * An empty block.
   *
   * @param arena owns the memory
   * @param length for which there is room
   */
  Block(Arena arena, int length) {
    this.arena = arena;
    this.memory = arena.allocate(length, Long.BYTES);
    this.bytes = memory.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** A block of its own. */
  static Block of(ByteBuffer content) {
    Block block = new Block(Arena.ofAuto(), content.remaining() + 64);
    block.put(content);
    return block;
  }

  /** The whole memory: the head, the bytes, and the checksum. */
  MemorySegment memory() {
    return memory;
  }

  /** The bytes of the block. */
  MemorySegment content() {
    return memory.asSlice(SessionFile.HEAD_BYTES, length);
  }

  ByteBuffer buffer() {
    return bytes.slice(SessionFile.HEAD_BYTES, length).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Makes room for as many bytes. */
  void ensure(long wanted) {
    long all = wanted + SessionFile.HEAD_BYTES + SessionFile.CHECKSUM_BYTES;
    if (all > memory.byteSize()) {
      if (all > Integer.MAX_VALUE) {
        throw new IllegalArgumentException(
            "sessions: a block of %d bytes; a file takes at most %d"
                .formatted(wanted, Integer.MAX_VALUE));
      }
      memory = arena.allocate(all, Long.BYTES);
      bytes = memory.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }
  }

  void length(long length) {
    this.length = Math.toIntExact(length);
  }

  void put(ByteBuffer content) {
    ensure(content.remaining());
    length(content.remaining());
    buffer().put(content);
  }

  /** Writes the block with its head and its checksum. */
  void write(FileChannel channel, int sessions) throws IOException {
    int end = SessionFile.HEAD_BYTES + length;
    bytes.putInt(0, length).putInt(4, sessions).putInt(end, SessionFile.checksum(buffer()));
    bytes.clear().limit(end + SessionFile.CHECKSUM_BYTES);
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
    bytes.clear();
  }

  /**
   * Reads a block.
   *
   * @return the number of its sessions
   * @throws DamagedBlock if the file ends in it, or the checksum does not fit
   */
  int read(FileChannel channel) throws IOException {
    fill(channel, 0, SessionFile.HEAD_BYTES);
    int wanted = bytes.getInt(0);
    int sessions = bytes.getInt(4);
    if (wanted < 0 || sessions < 0 || wanted > channel.size() - channel.position() - 4) {
      throw new DamagedBlock("it ends within a block of %d bytes".formatted(wanted));
    }
    ensure(wanted);
    length(wanted);
    int behind = SessionFile.HEAD_BYTES + length;
    fill(channel, SessionFile.HEAD_BYTES, behind + SessionFile.CHECKSUM_BYTES);
    if (bytes.getInt(behind) != SessionFile.checksum(buffer())) {
      throw new DamagedBlock("the checksum of a block does not fit");
    }
    return sessions;
  }

  private void fill(FileChannel channel, int from, int to) throws IOException {
    bytes.clear().limit(to).position(from);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes) < 0) {
        throw new DamagedBlock("it ends at byte %d".formatted(channel.size()));
      }
    }
    bytes.clear();
  }

  /** What is wrong with a file. */
  static final class DamagedBlock extends IOException {
    private static final long serialVersionUID = 1L;

    DamagedBlock(String what) {
      super(what);
    }
  }
}
