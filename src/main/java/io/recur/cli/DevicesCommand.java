package io.recur.cli;

import io.recur.device.Device;
import io.recur.device.DeviceException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code recur devices}: lists the devices that can compute, and says what the others lack. */
@Command(
    name = "devices",
    description = "Shows what can compute here: the processor, GPUs, or what one of them lacks.",
    mixinStandardHelpOptions = true)
final class DevicesCommand implements Callable<Integer> {
  @Parameters(
      arity = "0..1",
      paramLabel = "DEVICE",
      description = "cpu or cuda[:N]: opens this one alone; status 1 and the reason if it cannot.")
  private @Nullable String named;

  @Spec private CommandSpec spec;

  DevicesCommand() {}

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    if (named != null) {
      out.println(opened(named));
    } else {
      out.println(processor());
      Device.cudaReport().forEach(out::println);
    }
    out.flush();
    return 0;
  }

  private String opened(String name) {
    try (Device device = Device.of(name)) {
      return device.name();
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  /** {@return the processor's name, or why it cannot be opened: that must not hide the GPUs} */
  private String processor() {
    try {
      return opened("cpu");
    } catch (DeviceException e) {
      return e.getMessage();
    }
  }
}
