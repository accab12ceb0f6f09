package io.recur.nn;

import static org.junit.jupiter.api.Assumptions.abort;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.kernels.KernelDevice;
import java.util.List;

/** A device of this run on which cells are compiled. */
final class Compiling {
  private Compiling() {}

  /** Opens it; the caller closes it. */
  static Device device() {
    List<Device> all = Devices.all().toList();
    Device found = null;
    for (Device device : all) {
      if (found == null && KernelDevice.of(device).programs() != null) {
        found = device;
      } else {
        device.close();
      }
    }
    return found != null ? found : abort("no device of this run has programs of cells");
  }
}
