package io.recur.io.keras;

import io.jhdf.Superblock;
import io.jhdf.storage.HdfBackingStorage;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;

/**
 * The bytes of an HDF5 file, as jhdf asks for them. A part outside of the file is refused, and so
 * is a file whose parts refer to each other again and again: the number of reads and of their bytes
 * is bounded, which bounds the time and the memory that jhdf takes.
 */
final class HdfBytes implements HdfBackingStorage {
  private static final int MOST_READS = 1_000_000;
  private static final long LEAST_BYTES = 1 << 24;
  private static final int MOST_BEHIND = 2048;

  // An object's header of version 1, and its message on the type.
  private static final int HEADER = 16;
  private static final int MESSAGE = 8;
  private static final int TYPE_MESSAGE = 3;
  private static final int OPAQUE = 5;
  private static final int TEXT = 3;

  private final byte[] file;

  private final ByteBuffer bytes;
  private final Superblock superblock;
  private int reads;
  private long left;

  /** Reads the superblock. */
  HdfBytes(byte[] file) {
    this.file = file;
    bytes = ByteBuffer.wrap(file).asReadOnlyBuffer();
    left = LEAST_BYTES + 4L * file.length;
    superblock = Superblock.readSuperblock(bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN));
    if (superblock.getBaseAddressByte() != 0) {
      throw new IllegalArgumentException(
          "its base address is %d; need 0".formatted(superblock.getBaseAddressByte()));
    }
  }

  @Override
  public ByteBuffer map(long address, long length) {
    if (address < 0 || length < 0 || length > bytes.capacity() - address) {
      throw new IllegalArgumentException(
          "%d bytes at %d; need them inside of its %d bytes"
              .formatted(length, address, bytes.capacity()));
    }
    left -= length;
    if (left < 0 || ++reads > MOST_READS) {
      throw new IllegalArgumentException(
          "its parts refer to each other again and again, or are more than "
              + MOST_READS
              + "; need each once");
    }
    return bytes.slice((int) address, (int) length).order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Makes the opaque type of an object one of texts of the same size where it has no name: h5py
   * writes bfloat16 so, and jhdf reads no opaque type without a name.
   */
  void nameOpaque(long address) {
    ByteBuffer header = map(address, Math.min(HEADER, Math.max(0, bytes.capacity() - address)));
    if (header.remaining() < HEADER || header.get(0) != 1) {
      return;
    }
    long end = Math.min(address + HEADER + Integer.toUnsignedLong(header.getInt(8)), file.length);
    for (long at = address + HEADER; at + 2 * MESSAGE <= end; ) {
      ByteBuffer message = map(at, 2 * MESSAGE);
      boolean isOpaque =
          message.getShort(0) == TYPE_MESSAGE
              && (message.get(MESSAGE) & 0xf) == OPAQUE
              && message.get(MESSAGE + 1) == 0;
      if (isOpaque) {
        int type = (int) at + MESSAGE;
        file[type] = (byte) (message.get(MESSAGE) & 0xf0 | TEXT);
        return;
      }
      at += MESSAGE + Short.toUnsignedInt(message.getShort(2));
    }
  }

  /** jhdf asks for twice the bytes of a tree's node, whose rest may be behind the end. */
  @Override
  public ByteBuffer readBufferFromAddress(long address, int length) {
    long inside = bytes.capacity() - address;
    if (inside < 0 || length <= inside || length > inside + MOST_BEHIND) {
      return map(address, length);
    }
    ByteBuffer padded = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    return padded.put(map(address, inside)).rewind();
  }

  @Override
  public ByteBuffer mapNoOffset(long address, long length) {
    return map(address, length);
  }

  @Override
  public long getUserBlockSize() {
    return 0;
  }

  @Override
  public Superblock getSuperblock() {
    return superblock;
  }

  @Override
  public FileChannel getFileChannel() {
    throw new UnsupportedOperationException("the file is in memory");
  }

  @Override
  public int getSizeOfOffsets() {
    return superblock.getSizeOfOffsets();
  }

  @Override
  public int getSizeOfLengths() {
    return superblock.getSizeOfLengths();
  }

  @Override
  public void close() {}

  @Override
  public long size() {
    return bytes.capacity();
  }

  @Override
  public boolean inMemory() {
    return true;
  }
}
