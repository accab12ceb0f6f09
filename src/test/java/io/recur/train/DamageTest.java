package io.recur.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.nn.Chain;
import io.recur.nn.Snapshot;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damaged checkpoints and snapshots: either a load throws a documented exception and nothing has
 * changed, or what it loads can be used. Files of the first format carry no checksums, so the
 * reader gets further into their headers. Half of the snapshots get a new checksum.
 */
@Tag(Devices.CPU)
class DamageTest {
  private static final int SHORT = 400;
  private static final int LONG = 5000;
  private static final int BATCH = 2;
  private static final String SYMBOLS = "0123456789{}[],:\"\\- eE.ux";
  private static final String[] NUMBERS = {
    "-1",
    "0",
    "00",
    "1",
    "3",
    "2147483647",
    "2147483648",
    "4294967297",
    "4611686018427387904",
    "9223372036854775804",
    "9223372036854775807",
    "9223372036854775808",
    "99999999999999999999",
    "1e3",
    "1.5",
    "null",
    "true",
    "\"4\"",
    "[]",
    "{}"
  };
  private static final int[] COUNTS = {
    0, 1, 2, -1, -2, 3, 64, 100, 1_000_000, Integer.MAX_VALUE, Integer.MIN_VALUE, 46341, 1 << 30
  };

  @TempDir private Path folder;
  @AutoClose private final Device device = Device.cpu(1);
  private final Random random = new Random(9);
  private final Chain model = FirstFormatTest.model(device, 7);
  private final Adam adam = new Adam(0.5f);
  private final Map<String, Integer> refused = new TreeMap<>();
  private int taken;
  private int unchanged;

  @Test
  void damagedCheckpointsLoseNothing() throws IOException {
    checkpoints(SHORT);
  }

  @Test
  void damagedSnapshotsLoseNothing() throws IOException {
    snapshots(SHORT);
  }

  @Test
  @Tag("soak")
  void fiveThousandDamagedCheckpointsLoseNothing() throws IOException {
    checkpoints(LONG);
    report("checkpoints");
  }

  @Test
  @Tag("soak")
  void fiveThousandDamagedSnapshotsLoseNothing() throws IOException {
    snapshots(LONG);
    report("snapshots");
  }

  private int refused() {
    return refused.values().stream().mapToInt(Integer::intValue).sum();
  }

  private void report(String what) {
    System.out.printf(
        "soak: %d damaged %s: %d refused %s, %d taken as what they say, %d of these under"
            + " a checksum of ours and unchanged, none half loaded%n",
        LONG, what, refused(), refused, taken, unchanged);
  }

  /** {@return everything that a checkpoint holds, as text} */
  private String content() {
    StringBuilder content = new StringBuilder();
    model
        .parameters()
        .named()
        .forEach((name, p) -> content.append(name).append(Arrays.hashCode(p.toArray())));
    adam.save(model.parameters()).forEach(slot -> content.append(Arrays.hashCode(slot)));
    content.append(Arrays.hashCode(model.save().toBytes()));
    return content.append(adam.steps()).append(' ').append(adam.rate()).toString();
  }

  private void checkpoints(int rounds) throws IOException {
    Path first = FirstFormatTest.resource("recur1-adam.safetensors");
    Path second = folder.resolve("good.safetensors");
    Checkpoint.load(first, model, adam);
    Checkpoint.save(second, model, adam, Map.of("seed", "42"));
    String good = content();
    byte[][] whole = {Files.readAllBytes(first), Files.readAllBytes(second)};
    Path damaged = folder.resolve("damaged.safetensors");
    for (int i = 0; i < rounds; i++) {
      boolean isChecked = i % 2 == 1;
      Files.write(damaged, damagedFile(whole[i % 2].clone(), i / 2));
      try {
        Checkpoint.load(damaged, model, adam);
        taken++;
        unchanged += isChecked ? 1 : 0;
        assertTrue(!isChecked || content().equals(good), "round " + i);
        Checkpoint.load(second, model, adam);
      } catch (IllegalArgumentException e) {
        refused.merge(e.getClass().getSimpleName(), 1, Integer::sum);
        assertEquals(good, content(), () -> "half loaded: " + e);
        assertTrue(String.valueOf(e.getMessage()).contains(damaged.toString()), e::toString);
      }
    }
    assertEquals(rounds, refused() + taken);
    assertTrue(refused() > rounds / 2, "refused " + refused);
  }

  private byte[] damagedFile(byte[] file, int kind) {
    int header = (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
    switch (kind % 8) {
      case 0 -> flip(file, 0, file.length);
      case 1 -> flip(file, 0, 8 + header);
      case 2 ->
          file[8 + random.nextInt(header)] =
              (byte) SYMBOLS.charAt(random.nextInt(SYMBOLS.length()));
      case 3 -> {
        return Arrays.copyOf(file, random.nextInt(file.length + 100));
      }
      case 4 -> {
        return withHeader(file, header, spliced(header(file, header)));
      }
      case 5, 6 -> {
        return withHeader(file, header, renumbered(header(file, header)));
      }
      default -> {
        byte[] made = new byte[random.nextInt(300)];
        random.nextBytes(made);
        if (made.length >= 8 && random.nextBoolean()) {
          ByteBuffer.wrap(made).order(ByteOrder.LITTLE_ENDIAN).putLong(made.length - 8);
        }
        return made;
      }
    }
    return file;
  }

  private void flip(byte[] bytes, int from, int to) {
    for (int n = random.nextInt(3); n >= 0; n--) {
      bytes[from + random.nextInt(to - from)] ^= (byte) (1 << random.nextInt(8));
    }
  }

  private static String header(byte[] file, int length) {
    return new String(file, 8, length, StandardCharsets.UTF_8);
  }

  private String spliced(String header) {
    StringBuilder text = new StringBuilder(header);
    int from = random.nextInt(text.length());
    int to = Math.min(text.length(), from + 1 + random.nextInt(20));
    String cut = text.substring(from, to);
    if (random.nextInt(3) > 0) {
      text.delete(from, to);
    }
    return random.nextBoolean()
        ? text.toString()
        : text.insert(random.nextInt(text.length()), cut).toString();
  }

  /** Changes a number after the metadata. */
  private String renumbered(String header) {
    int from = header.indexOf('}') + random.nextInt(header.length() / 2);
    while (from < header.length() - 1 && !Character.isDigit(header.charAt(from))) {
      from++;
    }
    int to = from;
    while (to < header.length() && Character.isDigit(header.charAt(to))) {
      to++;
    }
    String number = NUMBERS[random.nextInt(NUMBERS.length)];
    return header.substring(0, from) + number + header.substring(to);
  }

  private static byte[] withHeader(byte[] file, int old, String header) {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes =
        ByteBuffer.allocate(file.length - old + json.length).order(ByteOrder.LITTLE_ENDIAN);
    return bytes.putLong(json.length).put(json).put(file, 8 + old, file.length - 8 - old).array();
  }

  private void snapshots(int rounds) throws IOException {
    byte[] first = Files.readAllBytes(FirstFormatTest.resource("recur1.snapshot"));
    model.restore(Snapshot.of(first));
    byte[] second = model.save().toBytes();
    byte[][] whole = {first, second};
    for (int i = 0; i < rounds; i++) {
      boolean isSealed = i / 2 % 2 == 0;
      byte[] damaged = damagedSnapshot(whole[i % 2].clone(), i / 4);
      if (isSealed && damaged.length >= 64) {
        seal(damaged, i % 2 == 0);
      }
      try {
        model.restore(Snapshot.of(damaged));
        taken++;
        unchanged += isSealed ? 0 : 1;
        assertTrue(isSealed || Arrays.equals(second, model.save().toBytes()), "round " + i);
        use();
        model.restore(Snapshot.of(second));
      } catch (IllegalArgumentException e) {
        refused.merge(e.getClass().getSimpleName(), 1, Integer::sum);
        assertArrayEquals(second, model.save().toBytes(), () -> "half restored: " + e);
      }
    }
    assertEquals(rounds, refused() + taken);
    assertTrue(refused() > rounds / 2, "refused " + refused);
  }

  /** Runs a restored model, which may say that its batch is another. */
  private void use() {
    try (Tape tape = Tape.inference(device)) {
      model.apply(tape.input(Shape.of(5, BATCH), new float[5 * BATCH])).toArray();
    } catch (ShapeException e) {
      assertTrue(e.getMessage().contains("batch"), e::toString);
    }
  }

  private byte[] damagedSnapshot(byte[] bytes, int kind) {
    int start = Math.min(bytes.length, 256);
    switch (kind % 5) {
      case 0 -> flip(bytes, 0, bytes.length);
      case 1 -> flip(bytes, 0, start);
      case 2 -> {
        return Arrays.copyOf(bytes, random.nextInt(bytes.length + 100));
      }
      case 3 ->
          ByteBuffer.wrap(bytes)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putInt(4 * random.nextInt(start / 4), COUNTS[random.nextInt(COUNTS.length)]);
      default -> {
        for (int n = 0; n < 8; n++) {
          bytes[8 + random.nextInt(start - 8)] = (byte) random.nextInt();
        }
      }
    }
    return bytes;
  }

  /** Gives made-up bytes the right checksum: of all bytes in version 1, of the header since. */
  private static void seal(byte[] bytes, boolean isFirst) {
    ByteBuffer at = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    if (isFirst) {
      CRC32 crc = new CRC32();
      crc.update(bytes, 0, bytes.length - 4);
      at.putInt(bytes.length - 4, (int) crc.getValue());
      return;
    }
    int header = at.getInt(16);
    if (header >= 24 && header <= bytes.length) {
      at.putInt(20, 0);
      CRC32C crc = new CRC32C();
      crc.update(bytes, 0, header);
      at.putInt(20, (int) crc.getValue());
    }
  }
}
