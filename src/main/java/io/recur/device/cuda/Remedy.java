package io.recur.device.cuda;

import static io.recur.bindings.cuda.cuda_h.CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE;
import static io.recur.bindings.cuda.cuda_h.CUDA_ERROR_DEINITIALIZED;
import static io.recur.bindings.cuda.cuda_h.CUDA_ERROR_DEVICE_UNAVAILABLE;
import static io.recur.bindings.cuda.cuda_h.CUDA_ERROR_INVALID_PTX;
import static io.recur.bindings.cuda.cuda_h.CUDA_ERROR_JIT_COMPILER_NOT_FOUND;
import static io.recur.bindings.cuda.cuda_h.CUDA_ERROR_LAUNCH_TIMEOUT;
import static io.recur.bindings.cuda.cuda_h.CUDA_ERROR_NO_BINARY_FOR_GPU;
import static io.recur.bindings.cuda.cuda_h.CUDA_ERROR_NO_DEVICE;
import static io.recur.bindings.cuda.cuda_h.CUDA_ERROR_OPERATING_SYSTEM;
import static io.recur.bindings.cuda.cuda_h.CUDA_ERROR_OUT_OF_MEMORY;
import static io.recur.bindings.cuda.cuda_h.CUDA_ERROR_STUB_LIBRARY;
import static io.recur.bindings.cuda.cuda_h.CUDA_ERROR_SYSTEM_DRIVER_MISMATCH;
import static io.recur.bindings.cuda.cuda_h.CUDA_ERROR_SYSTEM_NOT_READY;
import static io.recur.bindings.cuda.cuda_h.CUDA_ERROR_UNKNOWN;
import static io.recur.bindings.cuda.cuda_h.CUDA_ERROR_UNSUPPORTED_PTX_VERSION;
import static java.util.Map.entry;

import java.util.Map;

/** Says what the user can do when the machine, not the program, causes a driver's status. */
final class Remedy {
  /** The remedy for every failure for lack of device memory. */
  static final String MEMORY =
      "another program may hold the rest, nvidia-smi lists them: close it, take another GPU, or a"
          + " smaller batch";

  private static final String NEWER_COMPILER =
      "NVRTC is newer than the driver: install a driver of its CUDA version or later, or name an"
          + " older NVRTC with -Dio.recur.cuda=FOLDER";

  private static final Map<Integer, String> REMEDIES =
      Map.ofEntries(
          entry(CUDA_ERROR_OUT_OF_MEMORY(), MEMORY),
          entry(
              CUDA_ERROR_DEINITIALIZED(),
              "the driver is shut down, as when this process ends: start a new JVM"),
          entry(
              CUDA_ERROR_STUB_LIBRARY(),
              "the toolkit's stub stands where the driver should: take its folder stubs out of"
                  + " LD_LIBRARY_PATH and java.library.path"),
          entry(
              CUDA_ERROR_DEVICE_UNAVAILABLE(),
              "another program has the GPU for itself, or its mode prohibits programs, see"
                  + " nvidia-smi -q -d COMPUTE: close that program or take another GPU"),
          entry(
              CUDA_ERROR_NO_DEVICE(),
              "no GPU is visible: nvidia-smi lists them, CUDA_VISIBLE_DEVICES may hide them, a"
                  + " container must be given them"),
          entry(
              CUDA_ERROR_NO_BINARY_FOR_GPU(),
              "the kernels are not of this GPU: name another NVRTC with -Dio.recur.cuda=FOLDER"),
          entry(CUDA_ERROR_INVALID_PTX(), NEWER_COMPILER),
          entry(CUDA_ERROR_UNSUPPORTED_PTX_VERSION(), NEWER_COMPILER),
          entry(
              CUDA_ERROR_JIT_COMPILER_NOT_FOUND(),
              "the driver's libnvidia-ptxjitcompiler is missing or of another version: install the"
                  + " whole driver, or an NVRTC that knows the GPU"),
          entry(
              CUDA_ERROR_OPERATING_SYSTEM(),
              "the system refused the driver: nvidia-smi shows whether its kernel module works, and"
                  + " /dev/nvidia* whether this user may use it"),
          entry(
              CUDA_ERROR_LAUNCH_TIMEOUT(),
              "the system's watchdog ended the kernel: take a GPU without a display, or smaller"
                  + " batches"),
          entry(
              CUDA_ERROR_SYSTEM_NOT_READY(),
              "a service of the driver does not run: with NVSwitch, start nvidia-fabricmanager"),
          entry(
              CUDA_ERROR_SYSTEM_DRIVER_MISMATCH(),
              "the driver was replaced, and its library and its kernel module are of different"
                  + " versions: restart the machine; in a container, start the container again"),
          entry(
              CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE(),
              "CUDA's compatibility package does not support this GPU: take its folder compat out"
                  + " of LD_LIBRARY_PATH, or install a newer driver"),
          entry(
              CUDA_ERROR_UNKNOWN(),
              "the driver may have been replaced or reset while it was in use: nvidia-smi shows"
                  + " whether it works; restart the machine where it does not"));

  private Remedy() {}

  /** {@return the remedy after a semicolon; empty if the status says nothing about the machine} */
  static String of(int status) {
    String remedy = REMEDIES.get(status);
    return remedy == null ? "" : "; " + remedy;
  }
}
