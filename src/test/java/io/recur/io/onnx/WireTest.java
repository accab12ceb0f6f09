package io.recur.io.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import io.recur.Thrown;
import io.recur.device.Devices;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The reader of the wire format reads what Google's library reads, and refuses what that refuses.
 */
@Tag(Devices.CPU)
class WireTest {
  private static final int LENGTH = 2;

  /** All fields of a message as Google's library sees them, in their order by number. */
  private static List<String> judged(byte[] bytes) throws InvalidProtocolBufferException {
    List<String> fields = new ArrayList<>();
    UnknownFieldSet.parseFrom(bytes)
        .asMap()
        .forEach(
            (number, field) -> {
              field.getVarintList().forEach(v -> fields.add(number + "=" + v));
              field.getFixed32List().forEach(v -> fields.add(number + "=4:" + v));
              field.getFixed64List().forEach(v -> fields.add(number + "=8:" + v));
              field.getLengthDelimitedList().forEach(v -> fields.add(number + "=" + shown(v)));
            });
    fields.sort(null);
    return fields;
  }

  private static String shown(ByteString bytes) {
    return Arrays.toString(bytes.toByteArray());
  }

  /** The same as the reader sees them. */
  private static List<String> read(byte[] bytes) {
    List<String> fields = new ArrayList<>();
    Wire wire = Wire.of(ByteBuffer.wrap(bytes));
    while (wire.next()) {
      int number = wire.field();
      switch (wire.kind()) {
        case 0 -> fields.add(number + "=" + wire.whole());
        case LENGTH -> {
          ByteBuffer part = wire.part();
          byte[] copy = new byte[part.remaining()];
          part.get(copy);
          fields.add(number + "=" + Arrays.toString(copy));
        }
        default -> {
          Wire.Numbers numbers = new Wire.Numbers();
          int size = wire.kind() == 1 ? 8 : 4;
          wire.fixed(size, numbers);
          long bits = size == 4 ? (int) numbers.at(0) : numbers.at(0);
          fields.add(number + "=" + size + ":" + bits);
        }
      }
    }
    fields.sort(null);
    return fields;
  }

  @Test
  void publishedModelsReadAsByGooglesLibrary() throws InvalidProtocolBufferException {
    for (Cases test : Cases.of("published.zip")) {
      assertEquals(judged(test.model()), read(test.model()), test.name());
    }
  }

  /** Random bytes around the grammar: many begin well and end badly. */
  @Test
  void randomMessagesAreReadOrRefusedAsByGooglesLibrary() {
    Random random = new Random(11);
    int accepted = 0;
    for (int round = 0; round < 20_000; round++) {
      byte[] bytes = message(random);
      List<String> wanted;
      try {
        wanted = judged(bytes);
      } catch (InvalidProtocolBufferException e) {
        assertThrows(IllegalArgumentException.class, () -> read(bytes), Arrays.toString(bytes));
        continue;
      }
      if (hasGroup(bytes)) {
        continue; // a kind of field that ONNX does not have
      }
      assertEquals(wanted, read(bytes), Arrays.toString(bytes));
      accepted++;
    }
    assertTrue(accepted > 1_000, accepted + " accepted");
  }

  private static byte[] message(Random random) {
    byte[] bytes = new byte[1 + random.nextInt(24)];
    int at = 0;
    while (at < bytes.length) {
      int kind = new int[] {0, 1, 2, 2, 5, random.nextInt(8)}[random.nextInt(6)];
      bytes[at++] = (byte) ((1 + random.nextInt(15)) << 3 | kind);
      int left = random.nextInt(5) == 0 ? random.nextInt(12) : kind == 2 ? random.nextInt(4) : 0;
      if (kind == 2 && at < bytes.length) {
        bytes[at++] = (byte) left;
      }
      int more = kind == 0 ? 1 + left : kind == 1 ? 8 : kind == 5 ? 4 : left;
      for (int i = 0; i < more && at < bytes.length; i++) {
        byte value =
            (byte) (kind == 0 && i < more - 1 ? random.nextInt() | 0x80 : random.nextInt(128));
        bytes[at++] = kind == 0 && i == 9 ? (byte) (value & 0x80 | 1) : value; // of 64 bits
      }
    }
    return bytes;
  }

  /** Whether the library has read a group, which the reader refuses. */
  private static boolean hasGroup(byte[] bytes) {
    try {
      return UnknownFieldSet.parseFrom(bytes).asMap().values().stream()
          .anyMatch(field -> !field.getGroupList().isEmpty());
    } catch (InvalidProtocolBufferException e) {
      return false;
    }
  }

  @Test
  void textThatIsNoUtf8IsRefused() {
    byte[] bytes = {10, 2, (byte) 0xc3, 0x28};
    Wire wire = Wire.of(ByteBuffer.wrap(bytes));
    wire.next();
    Thrown.says(IllegalArgumentException.class, wire::text, "UTF-8");
    byte[] good = "\n\u0002é".getBytes(StandardCharsets.UTF_8);
    Wire other = Wire.of(ByteBuffer.wrap(good));
    other.next();
    assertEquals("é", other.text());
  }
}
