package io.recur.device.cuda;

import static io.recur.bindings.cublas.cublas_v2_h.CUBLAS_COMPUTE_32F;
import static io.recur.bindings.cublas.cublas_v2_h.CUBLAS_COMPUTE_32F_FAST_16BF;
import static io.recur.bindings.cublas.cublas_v2_h.CUBLAS_COMPUTE_32F_FAST_TF32;
import static io.recur.bindings.cublas.cublas_v2_h.CUBLAS_GEMM_DEFAULT;
import static io.recur.bindings.cublas.cublas_v2_h.CUBLAS_OP_N;
import static io.recur.bindings.cublas.cublas_v2_h.CUBLAS_OP_T;
import static io.recur.bindings.cublas.cublas_v2_h.CUBLAS_STATUS_ALLOC_FAILED;
import static io.recur.bindings.cublas.cublas_v2_h.CUBLAS_STATUS_NOT_INITIALIZED;
import static io.recur.bindings.cublas.cublas_v2_h.CUDA_R_32F;
import static io.recur.bindings.cublas.cublas_v2_h.cublasCreate_v2;
import static io.recur.bindings.cublas.cublas_v2_h.cublasDestroy_v2;
import static io.recur.bindings.cublas.cublas_v2_h.cublasGemmEx_64;
import static io.recur.bindings.cublas.cublas_v2_h.cublasGetVersion_v2;
import static io.recur.bindings.cublas.cublas_v2_h.cublasSetStream_v2;
import static io.recur.bindings.cublas.cublas_v2_h.cublasSetWorkspace_v2;
import static io.recur.bindings.cublas.cublas_v2_h.cublasSgemv_v2_64;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.recur.device.DeviceException;
import io.recur.device.Precision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A cuBLAS handle on a context's stream. Its workspace is its own, so it allocates nothing, and the
 * same product gives the same bits. The queue's monitor guards it.
 */
final class Cublas {
  /** NVIDIA recommends this size for Hopper; every other card needs less. */
  private static final long WORKSPACE_BYTES = 32L << 20;

  private static final int MAJOR = 10_000;
  private static final int MINOR = 100;

  private final Context context;
  private final Precision precision;
  private final MemorySegment handle;
  private final int version;

  /** The factors of a product, on the host. cuBLAS reads them before the call returns. */
  private final MemorySegment alpha;

  private final MemorySegment beta;

  /** The context must be current. */
  Cublas(Context context, Memory memory, Libraries libraries, Precision precision) {
    this.context = context;
    this.precision = precision;
    MemorySegment factors = Arena.ofAuto().allocate(JAVA_FLOAT, 2);
    alpha = factors.asSlice(0, Float.BYTES);
    beta = factors.asSlice(Float.BYTES, Float.BYTES);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
      create(out);
      handle = out.get(ValueLayout.ADDRESS, 0);
      try {
        MemorySegment number = arena.allocate(JAVA_INT);
        Status.checkBlas(cublasGetVersion_v2(handle, number), "cublasGetVersion");
        version = number.get(JAVA_INT, 0);
        int ofCuda = 1000 * (version / MAJOR) + 10 * (version % MAJOR / MINOR);
        Libraries.refuseOld("cuBLAS", libraries.blas(), ofCuda);
        Libraries.refuseNewer("cuBLAS", libraries.blas(), ofCuda, libraries.driverVersion());
        // in this order: setting the stream removes the workspace
        Status.checkBlas(cublasSetStream_v2(handle, context.stream()), "cublasSetStream");
        MemorySegment workspace = MemorySegment.ofAddress(memory.take(WORKSPACE_BYTES, false));
        Status.checkBlas(
            cublasSetWorkspace_v2(handle, workspace, WORKSPACE_BYTES), "cublasSetWorkspace");
      } catch (DeviceException e) {
        cublasDestroy_v2(handle);
        throw e;
      }
    }
  }

  /** Creates the handle. If memory is full, cuBLAS may say that it is not initialised. */
  private void create(MemorySegment out) {
    int status = cublasCreate_v2(out);
    if (status == CUBLAS_STATUS_ALLOC_FAILED() || status == CUBLAS_STATUS_NOT_INITIALIZED()) {
      throw new DeviceException(
          "cuda: cublasCreate on %s: %s; %s; %s"
              .formatted(context, Status.blas(status), context.memory(), Remedy.MEMORY));
    }
    Status.checkBlas(status, "cublasCreate on " + context);
  }

  /** {@return such as 12.4} */
  String version() {
    return version / MAJOR + "." + version % MAJOR / MINOR;
  }

  /** Launches a product on the stream. */
  void multiply(Product p) {
    alpha.set(JAVA_FLOAT, 0, p.alpha);
    beta.set(JAVA_FLOAT, 0, p.beta);
    if (p.n == 1) {
      vector(p.transposeA, p.m, p.k, p.a, p.lda, p.b, p.transposeB ? p.ldb : 1, p.c, 1);
    } else if (p.m == 1) {
      vector(!p.transposeB, p.n, p.k, p.b, p.ldb, p.a, p.transposeA ? 1 : p.lda, p.c, p.ldc);
    } else {
      int status =
          cublasGemmEx_64(
              handle,
              p.transposeA ? CUBLAS_OP_T() : CUBLAS_OP_N(),
              p.transposeB ? CUBLAS_OP_T() : CUBLAS_OP_N(),
              p.m,
              p.n,
              p.k,
              alpha,
              MemorySegment.ofAddress(p.a),
              CUDA_R_32F(),
              p.lda,
              MemorySegment.ofAddress(p.b),
              CUDA_R_32F(),
              p.ldb,
              beta,
              MemorySegment.ofAddress(p.c),
              CUDA_R_32F(),
              p.ldc,
              computeType(),
              CUBLAS_GEMM_DEFAULT());
      check(status, "cublasGemmEx", p.m, p.n, p.k);
    }
  }

  /** {@code y = alpha·op(A)·x + beta·y}, where op(A) is rows × terms; always in float32. */
  private void vector(
      boolean transpose,
      int rows,
      int terms,
      long a,
      int lda,
      long x,
      int strideX,
      long y,
      int strideY) {
    int status =
        cublasSgemv_v2_64(
            handle,
            transpose ? CUBLAS_OP_T() : CUBLAS_OP_N(),
            transpose ? terms : rows,
            transpose ? rows : terms,
            alpha,
            MemorySegment.ofAddress(a),
            lda,
            MemorySegment.ofAddress(x),
            strideX,
            beta,
            MemorySegment.ofAddress(y),
            strideY);
    check(status, "cublasSgemv", rows, 1, terms);
  }

  private int computeType() {
    return switch (precision) {
      case FLOAT32 -> CUBLAS_COMPUTE_32F();
      case TF32 -> CUBLAS_COMPUTE_32F_FAST_TF32();
      case BF16 -> CUBLAS_COMPUTE_32F_FAST_16BF();
    };
  }

  private void check(int status, String call, int m, int n, int k) {
    if (status != 0) {
      String told = Status.blas(status);
      if (status == CUBLAS_STATUS_ALLOC_FAILED()) {
        told += "; " + context.memory() + "; " + Remedy.MEMORY;
      }
      throw context.failed("%s m=%d, n=%d, k=%d".formatted(call, m, n, k), told);
    }
  }

  /** Destroys the handle. The workspace is freed with the device's memory. */
  void close() {
    cublasDestroy_v2(handle);
  }
}
