package io.recur.serve.kafka;

import io.recur.device.Device;
import io.recur.nn.Layer;
import java.time.Duration;
import java.util.Map;
import java.util.function.Function;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.Stores;
import org.jspecify.annotations.Nullable;

/**
 * What is chosen for the steps of a model.
 *
 * @param bytes of its sessions
 * @param largest the most sessions of a batch
 * @param longestWait of a record that no other follows
 * @param idle after which a session is closed; null for never
 * @param clock of {@code idle}
 * @param stores makes the store of the states
 * @param isCached whether the states of a session between two commits are one
 * @param changelog further settings of the topic of the states
 */
record Settings(
    String name,
    Layer model,
    Device device,
    StateBytes bytes,
    int largest,
    Duration longestWait,
    @Nullable Duration idle,
    PunctuationType clock,
    Function<String, KeyValueBytesStoreSupplier> stores,
    boolean isCached,
    Map<String, String> changelog) {
  /** Of a batch of requests. */
  private static final int MOST = 1 << 16;

  static Settings of(String name, Layer model, Device device) {
    return new Settings(
        name,
        model,
        device,
        StateBytes.of(model),
        256,
        Duration.ofMillis(5),
        null,
        PunctuationType.WALL_CLOCK_TIME,
        Stores::persistentKeyValueStore,
        false,
        Map.of());
  }

  String states() {
    return name + "-states";
  }

  String waiting() {
    return name + "-waiting";
  }

  /** {@return whether a session that has stepped at this time is idle} */
  boolean isIdle(long stepped, long now) {
    return idle != null && now - stepped >= idle.toMillis();
  }

  /** {@return the time between two looks for idle sessions} */
  Duration sweepInterval() {
    return Duration.ofMillis(Math.clamp(idle.toMillis() / 4, 1, 1000));
  }

  Settings withLargest(int most) {
    if (most < 1 || most > MOST) {
      throw new IllegalArgumentException("kafka: largest=%d; need 1 to %d".formatted(most, MOST));
    }
    return new Settings(
        name, model, device, bytes, most, longestWait, idle, clock, stores, isCached, changelog);
  }

  Settings withLongestWait(Duration wait) {
    checkMillis("longestWait", wait);
    return new Settings(
        name, model, device, bytes, largest, wait, idle, clock, stores, isCached, changelog);
  }

  Settings withIdle(Duration after, PunctuationType by) {
    checkMillis("idle", after);
    return new Settings(
        name, model, device, bytes, largest, longestWait, after, by, stores, isCached, changelog);
  }

  Settings withStores(Function<String, KeyValueBytesStoreSupplier> made) {
    return new Settings(
        name, model, device, bytes, largest, longestWait, idle, clock, made, isCached, changelog);
  }

  Settings withCache() {
    return new Settings(
        name, model, device, bytes, largest, longestWait, idle, clock, stores, true, changelog);
  }

  Settings withChangelog(Map<String, String> topic) {
    return new Settings(
        name,
        model,
        device,
        bytes,
        largest,
        longestWait,
        idle,
        clock,
        stores,
        isCached,
        Map.copyOf(topic));
  }

  private static void checkMillis(String what, Duration time) {
    if (time.compareTo(Duration.ofMillis(1)) < 0) {
      throw new IllegalArgumentException("kafka: %s=%s; need 1 ms or more".formatted(what, time));
    }
  }
}
