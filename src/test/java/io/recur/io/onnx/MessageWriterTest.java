package io.recur.io.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.UnknownFieldSet;
import io.recur.device.Devices;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Google's protobuf reads what is written. */
@Tag(Devices.CPU)
class MessageWriterTest {
  private static final long[] INTEGERS = {
    0, 1, 127, 128, 300, -1, Integer.MAX_VALUE, Long.MAX_VALUE, Long.MIN_VALUE
  };

  @TempDir private Path folder;

  private UnknownFieldSet read(MessageWriter message) throws IOException {
    Path file = folder.resolve("message");
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      message.writeTo(channel);
    }
    assertEquals(message.length(), Files.size(file));
    return UnknownFieldSet.parseFrom(Files.readAllBytes(file));
  }

  @Test
  void everyKindOfFieldIsReadAgain() throws IOException {
    MessageWriter message = new MessageWriter();
    for (long value : INTEGERS) {
      message.integer(1, value);
    }
    message.real(16, -1.5f).text(2, "h̃").bytes(3, new byte[0]);
    UnknownFieldSet read = read(message);
    assertArrayEquals(
        INTEGERS, read.getField(1).getVarintList().stream().mapToLong(v -> v).toArray());
    assertEquals(List.of(Float.floatToRawIntBits(-1.5f)), read.getField(16).getFixed32List());
    assertEquals("h̃", WireJudge.text(read, 2));
    assertEquals("", WireJudge.text(read, 3));
  }

  @Test
  void messagesOfAnyLengthKeepTheirOrder() throws IOException {
    MessageWriter outer = new MessageWriter();
    for (int length : new int[] {0, 1, 127, 128, 4095, 4096, 100_000}) {
      MessageWriter inner = new MessageWriter().integer(1, length).bytes(2, new byte[length]);
      outer.message(5, inner.text(3, "behind"));
    }
    List<UnknownFieldSet> read = WireJudge.messages(read(outer), 5);
    assertEquals(7, read.size());
    for (UnknownFieldSet inner : read) {
      long length = inner.getField(1).getVarintList().getFirst();
      assertEquals(length, inner.getField(2).getLengthDelimitedList().getFirst().size());
      assertEquals("behind", WireJudge.text(inner, 3));
    }
  }
}
