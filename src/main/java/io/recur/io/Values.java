package io.recur.io;

import io.recur.device.Buffer;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** The little-endian bytes of a tensor, wherever they are. They are read window by window. */
sealed interface Values {
  /** Bytes per window: large for a disk, small for the heap, a multiple of each element's size. */
  int WINDOW = 1 << 18;

  /** Fills a window with the bytes from offset {@code at}, a multiple of {@link #WINDOW}. */
  void read(long at, ByteBuffer window) throws IOException;

  /** Takes the bytes from offset {@code at}. */
  @FunctionalInterface
  interface Windows {
    void take(long at, ByteBuffer window) throws IOException;
  }

  /** Passes all bytes in order to {@code windows} and returns their CRC-32C. */
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

  /** Writes the first {@code count} values to consecutive slices, from index {@code at} on. */
  static void scatter(Buffer[] slices, long at, float[] values, int count) {
    long skipped = at;
    int done = 0;
    for (Buffer slice : slices) {
      long length = slice.floats();
      if (skipped < length && done < count) {
        int fits = (int) Math.min(length - skipped, count - done);
        slice.slice(skipped, fits).write(Arrays.copyOfRange(values, done, done + fits));
        done += fits;
        skipped = length;
      }
      skipped -= length;
    }
  }

  /** Values of an array, which is not copied. */
  record OnHeap(float[] values) implements Values {
    @Override
    public void read(long at, ByteBuffer window) {
      int count = window.remaining() / Float.BYTES;
      window.asFloatBuffer().put(values, Math.toIntExact(at / Float.BYTES), count);
      window.position(window.limit());
    }
  }

  /** Values on a device, in consecutive slices. */
  record OnDevice(List<Buffer> slices) implements Values {
    @Override
    public void read(long at, ByteBuffer window) {
      long skipped = at / Float.BYTES;
      for (Buffer slice : slices) {
        long length = slice.floats();
        if (skipped < length && window.hasRemaining()) {
          int count = (int) Math.min(length - skipped, window.remaining() / Float.BYTES);
          float[] values = new float[count];
          slice.slice(skipped, count).read(values);
          window.asFloatBuffer().put(values);
          window.position(window.position() + count * Float.BYTES);
          skipped = length;
        }
        skipped -= length;
      }
    }
  }

  /** Values in an open file. */
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

  /** Values on the heap that are converted to a type of floats as they are written. */
  record Converted(Dtype dtype, float[] values) implements Values {
    @Override
    public void read(long at, ByteBuffer window) {
      for (int i = (int) (at * 8 / dtype.bits()); window.hasRemaining(); i++) {
        dtype.put(window, values[i]);
      }
    }
  }

  /** F64 of an open file, of which those are replaced that round to other values. */
  record Changed(Values original, float[] values) implements Values {
    @Override
    public void read(long at, ByteBuffer window) throws IOException {
      int first = window.position();
      original.read(at, window);
      int value = (int) (at / Double.BYTES);
      for (int place = first; place < window.position(); place += Double.BYTES, value++) {
        float before = (float) window.getDouble(place);
        if (Float.floatToIntBits(before) != Float.floatToIntBits(values[value])) {
          window.putDouble(place, values[value]);
        }
      }
    }
  }

  /** Values in a record of an open zip archive, which is not compressed. */
  record InZip(ZipFile zip, ZipEntry entry, long begin) implements Values {
    @Override
    public void read(long at, ByteBuffer window) throws IOException {
      try (InputStream in = zip.getInputStream(entry)) {
        in.skipNBytes(begin + at);
        int from = window.arrayOffset() + window.position();
        int found = in.readNBytes(window.array(), from, window.remaining());
        if (found < window.remaining()) {
          throw new EOFException("the record %s is cut off".formatted(entry.getName()));
        }
        window.position(window.limit());
      } catch (IllegalStateException e) {
        throw new IllegalStateException("torch: the file was closed; read its tensors before", e);
      }
    }
  }

  /** Fills a window with the bytes of a file from offset {@code at}. */
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
