package io.recur.device.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Thrown;
import io.recur.device.DeviceException;
import io.recur.device.Devices;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag(Devices.CPU)
class OnceTest {
  @Test
  void aFailureIsTriedAgainAndAValueIsKept() {
    AtomicInteger calls = new AtomicInteger();
    Once<Integer> once =
        new Once<>(
            () -> {
              if (calls.incrementAndGet() < 3) {
                throw new DeviceException("attempt " + calls);
              }
              return calls.get();
            });
    Thrown.says(DeviceException.class, once::get, "attempt 1");
    Thrown.says(DeviceException.class, once::get, "attempt 2");
    assertEquals(3, once.get());
    assertEquals(3, once.get());
  }
}
