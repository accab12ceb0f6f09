package io.recur.io;

import io.recur.device.Buffer;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

/** The bytes of a tensor, little-endian, wherever they are. They are read window by window. */
sealed interface Values {
  /** Bytes per window: enough for the disk, little for the heap. A multiple of every element. */
  int WINDOW = 1 << 18;

  /** Fills a window with the bytes from a place on. Places are multiples of {@link #WINDOW}. */
  void read(long at, ByteBuffer window) throws IOException;

  /** Takes the bytes from a place on. */
  @FunctionalInterface
  interface Windows {
    void take(long at, ByteBuffer window) throws IOException;
  }

  /** Gives all bytes in order to a reader; returns their CRC-32C. */
  default long windows(long length, Windows windows) throws IOException {
    CRC32C crc = new CRC32C();
    ByteBuffer window =
        ByteBuffer.allocate((int) Math.min(WINDOW, length)).order(ByteOrder.LITTLE_ENDIAN);
    for (long at = 0; at < length; at += WINDOW) {
      read(at, window.clear().limit((int) Math.min(WINDOW, length - at)));
      crc.update(window.flip());
      windows.take(at, window.flip());
    }
    return crc.getValue();
  }

  /** Writes the first values to the place in pieces of memory that follow each other. */
  static void scatter(Buffer[] pieces, long place, float[] values, int count) {
    long skipped = place;
    int done = 0;
    for (Buffer piece : pieces) {
      long length = piece.floats();
      if (skipped < length && done < count) {
        int fits = (int) Math.min(length - skipped, count - done);
        piece.slice(skipped, fits).write(Arrays.copyOfRange(values, done, done + fits));
        done += fits;
        skipped = length;
      }
      skipped -= length;
    }
  }

  /** On the heap, not copied. */
  record OnHeap(float[] values) implements Values {
    @Override
    public void read(long at, ByteBuffer window) {
      int count = window.remaining() / Float.BYTES;
      window.asFloatBuffer().put(values, Math.toIntExact(at / Float.BYTES), count);
      window.position(window.limit());
    }
  }

  /** On a device, in pieces that follow each other. */
  record OnDevice(List<Buffer> pieces) implements Values {
    @Override
    public void read(long at, ByteBuffer window) {
      long skipped = at / Float.BYTES;
      for (Buffer piece : pieces) {
        long length = piece.floats();
        if (skipped < length && window.hasRemaining()) {
          int count = (int) Math.min(length - skipped, window.remaining() / Float.BYTES);
          float[] values = new float[count];
          piece.slice(skipped, count).read(values);
          window.asFloatBuffer().put(values);
          window.position(window.position() + count * Float.BYTES);
          skipped = length;
        }
        skipped -= length;
      }
    }
  }

  /** In a file that stays open. */
  record InFile(FileChannel channel, long begin) implements Values {
    @Override
    public void read(long at, ByteBuffer window) throws IOException {
      if (!channel.isOpen()) {
        throw new IllegalStateException(
            "safetensors: the file was closed; read its tensors before");
      }
      readFully(channel, begin + at, window);
    }
  }

  /** Fills a window from a place in a file. */
  static void readFully(FileChannel channel, long at, ByteBuffer window) throws IOException {
    long from = at - window.position();
    while (window.hasRemaining()) {
      if (channel.read(window, from + window.position()) < 0) {
        throw new EOFException(
            "the file ends at byte %d; it was changed while it was read"
                .formatted(from + window.position()));
      }
    }
  }
}
