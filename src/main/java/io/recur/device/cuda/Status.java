package io.recur.device.cuda;

import static io.recur.bindings.cublas.cublas_v2_h.CUBLAS_STATUS_SUCCESS;
import static io.recur.bindings.cublas.cublas_v2_h.cublasGetStatusName;
import static io.recur.bindings.cuda.cuda_h.CUDA_SUCCESS;
import static io.recur.bindings.cuda.cuda_h.cuGetErrorName;
import static io.recur.bindings.cuda.cuda_h.cuGetErrorString;
import static io.recur.bindings.nvrtc.nvrtc_h.NVRTC_SUCCESS;
import static io.recur.bindings.nvrtc.nvrtc_h.nvrtcGetErrorString;

import io.recur.device.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Checks and names the statuses that NVIDIA's calls return. */
final class Status {
  private Status() {}

  /** Throws if a call of the driver failed that leaves the device intact. */
  static void check(int status, String call) {
    if (status != CUDA_SUCCESS()) {
      throw new DeviceException("cuda: %s: %s".formatted(call, driver(status)));
    }
  }

  /** Throws if a call of NVRTC failed. */
  static void checkCompiler(int status, String call) {
    if (status != NVRTC_SUCCESS()) {
      throw new DeviceException("cuda: %s: %s".formatted(call, compiler(status)));
    }
  }

  /** Throws if a call of cuBLAS failed that leaves the device intact. */
  static void checkBlas(int status, String call) {
    if (status != CUBLAS_STATUS_SUCCESS()) {
      throw new DeviceException("cuda: %s: %s".formatted(call, blas(status)));
    }
  }

  /**
   * {@return such as {@code 700 CUDA_ERROR_ILLEGAL_ADDRESS, an illegal memory access was
   * encountered}, and the remedy if there is one}
   */
  static String driver(int status) {
    return driver(status, "");
  }

  /** {@return the same, with the caller's facts before the remedy} */
  static String driver(int status, String facts) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocate(ValueLayout.ADDRESS);
      String name = text(text, cuGetErrorName(status, text));
      String meaning = text(text, cuGetErrorString(status, text));
      return status
          + (name.isEmpty() ? "" : " " + name)
          + (meaning.isEmpty() ? "" : ", " + meaning)
          + (facts.isEmpty() ? "" : "; " + facts)
          + Remedy.of(status);
    }
  }

  private static String text(MemorySegment pointer, int status) {
    MemorySegment text = pointer.get(ValueLayout.ADDRESS, 0);
    boolean isKnown = status == CUDA_SUCCESS() && !text.equals(MemorySegment.NULL);
    return isKnown ? text.reinterpret(Long.MAX_VALUE).getString(0) : "";
  }

  /** {@return such as {@code 6 NVRTC_ERROR_COMPILATION}} */
  static String compiler(int status) {
    return status + " " + nvrtcGetErrorString(status).getString(0);
  }

  /** {@return such as {@code 13 CUBLAS_STATUS_EXECUTION_FAILED}} */
  static String blas(int status) {
    return status + " " + cublasGetStatusName(status).getString(0);
  }
}
