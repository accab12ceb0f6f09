package io.recur.device.cuda;

import static io.recur.bindings.cuda.cuda_h.CUDA_ERROR_OUT_OF_MEMORY;
import static io.recur.bindings.cuda.cuda_h.CUDA_SUCCESS;
import static io.recur.bindings.cuda.cuda_h.CU_STREAM_NON_BLOCKING;
import static io.recur.bindings.cuda.cuda_h.cuCtxSetCurrent;
import static io.recur.bindings.cuda.cuda_h.cuDevicePrimaryCtxRelease_v2;
import static io.recur.bindings.cuda.cuda_h.cuDevicePrimaryCtxRetain;
import static io.recur.bindings.cuda.cuda_h.cuEventSynchronize;
import static io.recur.bindings.cuda.cuda_h.cuMemGetInfo_v2;
import static io.recur.bindings.cuda.cuda_h.cuStreamCreate;
import static io.recur.bindings.cuda.cuda_h.cuStreamDestroy_v2;
import static io.recur.bindings.cuda.cuda_h.cuStreamSynchronize;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.recur.device.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * A card's primary context, with a stream for all work, a stream for transfers to the card, and its
 * failure. After a failed call it is unknown which work was done. The context then refuses all
 * further work, and is never created again.
 */
final class Context {
  private final Card card;
  private final MemorySegment handle;
  private final MemorySegment stream;
  private final MemorySegment transfers;
  private @Nullable String failure;
  private long waitedNanos;

  /** Retains the context and makes it current on this thread. */
  Context(Card card) {
    this.card = card;
    if (!card.hasPools()) {
      throw new DeviceException(
          "cuda:%d: %s has no memory pools; need a driver and a card with cuMemAllocAsync"
              .formatted(card.ordinal(), card.description()));
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
      retain(out);
      handle = out.get(ValueLayout.ADDRESS, 0);
      try {
        refuse(cuCtxSetCurrent(handle), "cuCtxSetCurrent of " + this);
        stream = stream(out);
        transfers = stream(out);
      } catch (DeviceException e) {
        cuDevicePrimaryCtxRelease_v2(card.device()); // destroys its streams too
        throw e;
      }
    }
  }

  /**
   * Retains the context. Its failure cannot say how many bytes are free: that needs a context, and
   * this thread's may be another card's.
   */
  private void retain(MemorySegment out) {
    int status = cuDevicePrimaryCtxRetain(out, card.device());
    if (status != CUDA_SUCCESS()) {
      String facts =
          status == CUDA_ERROR_OUT_OF_MEMORY()
              ? "of %d bytes fewer are free than a context takes, some 500 MB"
                  .formatted(card.bytes())
              : "";
      throw new DeviceException(
          "cuda: cuDevicePrimaryCtxRetain of %s: %s".formatted(this, Status.driver(status, facts)));
    }
  }

  private MemorySegment stream(MemorySegment out) {
    // non-blocking: no ties to the default stream, which we do not use
    refuse(cuStreamCreate(out, CU_STREAM_NON_BLOCKING()), "cuStreamCreate on " + this);
    return out.get(ValueLayout.ADDRESS, 0);
  }

  Card card() {
    return card;
  }

  /** {@return the stream on which all work runs, in order} */
  MemorySegment stream() {
    return stream;
  }

  /** {@return the stream of copies to the card, which run beside the work} */
  MemorySegment transfers() {
    return transfers;
  }

  /**
   * Makes the context current on this thread.
   *
   * @throws DeviceException if an earlier call failed
   */
  void enter() {
    refuseFailed();
    check(cuCtxSetCurrent(handle), "cuCtxSetCurrent");
  }

  /** Throws if an earlier call failed. */
  void refuseFailed() {
    if (failure != null) {
      throw new DeviceException(
          "%s is unusable since a call failed; start a new JVM. The failure: %s"
              .formatted(this, failure));
    }
  }

  /** {@return whether a call failed} */
  boolean hasFailed() {
    return failure != null;
  }

  /** If the call failed, marks this context as failed and throws. */
  void check(int status, String call) {
    if (status != CUDA_SUCCESS()) {
      throw failed(call, status);
    }
  }

  /** Throws if a call failed that leaves the device intact, such as one of those that open it. */
  void refuse(int status, String call) {
    if (status != CUDA_SUCCESS()) {
      throw new DeviceException("cuda: %s: %s".formatted(call, told(status)));
    }
  }

  /** Throws if cuMemHostAlloc failed, which takes memory of the host, not of the GPU. */
  void refuseHost(int status, long bytes) {
    if (status == CUDA_ERROR_OUT_OF_MEMORY()) {
      throw new DeviceException(
          """
          cuda: cuMemHostAlloc of %d bytes for %s: %d CUDA_ERROR_OUT_OF_MEMORY; the host has not \
          that much page-locked memory: close other programs, or raise the limit of ulimit -l or of \
          the container"""
              .formatted(bytes, this, status));
    }
    refuse(status, "cuMemHostAlloc of " + bytes + " bytes");
  }

  /** {@return a status of the driver in words, with the free memory if it is about memory} */
  private String told(int status) {
    return Status.driver(status, status == CUDA_ERROR_OUT_OF_MEMORY() ? memory() : "");
  }

  /** {@return how many bytes are free, for errors} The context must be current. */
  String memory() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment free = arena.allocate(JAVA_LONG);
      MemorySegment total = arena.allocate(JAVA_LONG);
      return cuMemGetInfo_v2(free, total) == CUDA_SUCCESS()
          ? "%d of %d bytes are free".formatted(free.get(JAVA_LONG, 0), total.get(JAVA_LONG, 0))
          : "the GPU has %d bytes and does not say how many are free".formatted(card.bytes());
    }
  }

  /** Marks this context as failed by a status of the driver. Returns the exception to throw. */
  DeviceException failed(String call, int status) {
    return failed(call, told(status));
  }

  /** Marks this context as failed. Returns the exception to throw. */
  DeviceException failed(String call, String status) {
    failure = "%s: %s: %s".formatted(this, call, status);
    return new DeviceException(
        failure
            + "; the device is unusable from here on. The call may have met a fault of an earlier"
            + " one: -Dio.recur.cuda.check=true tells which");
  }

  /** Waits for all work. */
  void synchronise(String after) {
    long begin = System.nanoTime();
    int status = cuStreamSynchronize(stream);
    waitedNanos += System.nanoTime() - begin;
    if (status != CUDA_SUCCESS()) {
      throw failed("cuStreamSynchronize after " + after, status);
    }
  }

  /** Waits for the work that precedes an event. */
  void await(MemorySegment event) {
    long begin = System.nanoTime();
    int status = cuEventSynchronize(event);
    waitedNanos += System.nanoTime() - begin;
    check(status, "cuEventSynchronize");
  }

  /** The time that the host has spent in waiting for the device. */
  long waitedNanos() {
    return waitedNanos;
  }

  /**
   * Makes the context current for closing, even after a failure, and waits for all work.
   *
   * @throws DeviceException if work fails that nobody has waited for
   */
  void leave() {
    cuCtxSetCurrent(handle);
    int sent = cuStreamSynchronize(transfers);
    int done = cuStreamSynchronize(stream);
    if (failure == null) {
      check(done == CUDA_SUCCESS() ? sent : done, "cuStreamSynchronize when it was closed");
    }
  }

  /** Releases everything. Ignores errors: {@link #leave} has thrown them. */
  void close() {
    cuStreamDestroy_v2(transfers);
    cuStreamDestroy_v2(stream);
    cuCtxSetCurrent(MemorySegment.NULL);
    cuDevicePrimaryCtxRelease_v2(card.device());
  }

  @Override
  public String toString() {
    return "cuda:" + card.ordinal();
  }
}
