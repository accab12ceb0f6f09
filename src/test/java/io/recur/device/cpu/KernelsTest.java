package io.recur.device.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.DeviceException;
import io.recur.device.Devices;
import io.recur.device.cpu.Kernels.InstructionSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag(Devices.CPU)
class KernelsTest {
  private final String before = System.getProperty(Kernels.SET);

  @AfterEach
  void putBack() {
    if (before == null) {
      System.clearProperty(Kernels.SET);
    } else {
      System.setProperty(Kernels.SET, before);
    }
  }

  @Test
  void thePropertyChoosesTheInstructionSet() {
    for (InstructionSet set : Kernels.present()) {
      System.setProperty(Kernels.SET, set.toString());
      try (Device device = Device.cpu(2)) {
        assertTrue(device.name().endsWith("kernels " + set + ")"), device.name());
        assertEquals(set != InstructionSet.JAVA, Devices.isNative(device));
      }
    }
  }

  @Test
  void aSetThatIsNotHereIsRefusedWithThoseThatAre() {
    System.setProperty(Kernels.SET, "sse9");
    DeviceException thrown = assertThrows(DeviceException.class, Device::cpu);
    String expected = "kernels: -Dio.recur.kernels=sse9; here there are " + Kernels.present();
    assertTrue(thrown.getMessage().startsWith(expected), thrown.getMessage());
  }

  @Test
  void theNumberOfThreadsIsNamedAndChecked() {
    if (Kernels.present().size() > 1) {
      try (Device device = Device.cpu(3)) {
        assertTrue(device.name().contains(", 3 threads"), device.name());
      }
    }
    var thrown = assertThrows(IllegalArgumentException.class, () -> Device.cpu(0));
    assertEquals("cpu: threads=0; need 1 to 1024, as many as there are cores", thrown.getMessage());
  }
}
