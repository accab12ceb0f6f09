package io.recur.cli;

import io.recur.device.Device;
import io.recur.device.Precision;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options that choose the device, for every command that computes. */
final class DeviceOptions {
  /** {@link Precision} as the command line writes it. */
  private enum Products {
    float32,
    tf32,
    bf16
  }

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      description = "cpu, or cuda[:N]: a GPU; 'recur devices' lists them.")
  private String device = "cpu";

  @Option(
      names = "--precision",
      paramLabel = "P",
      description = "Of a GPU's matrix products: ${COMPLETION-CANDIDATES}.")
  private Products precision = Products.float32;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Of the processor; as many as it has cores unless given.")
  private @Nullable Integer threads;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  DeviceOptions() {}

  /**
   * Opens the device that the options name.
   *
   * @throws ParameterException if the options contradict each other or name no device
   */
  Device open() {
    if (threads != null && threads < 1) {
      throw new ParameterException(spec.commandLine(), "--threads=" + threads + "; need 1 or more");
    }
    if (threads != null && !device.equals("cpu")) {
      throw new ParameterException(
          spec.commandLine(),
          "--device=%s, --threads=%d; threads are the processor's: leave one of both out"
              .formatted(device, threads));
    }
    try {
      Precision products = Precision.valueOf(precision.name().toUpperCase(Locale.ROOT));
      return threads == null ? Device.of(device, products) : Device.cpu(threads);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }
}
