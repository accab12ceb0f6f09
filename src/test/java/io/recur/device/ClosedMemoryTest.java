package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.recur.Thrown;
import io.recur.bindings.kernels.recur_h;
import io.recur.bindings.openblas.cblas_h;
import io.recur.device.cpu.Kernels;
import io.recur.device.kernels.KernelDevice;
import io.recur.device.memory.Slab;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a kernel says when another thread closes the owner of its memory after its address was
 * taken. ClosingStorm lets threads meet; here the moment is made.
 */
class ClosedMemoryTest {
  @AutoClose private final Device device = Devices.here();

  private static Object argument(Class<?> type, Slab slab) {
    return switch (type.getSimpleName()) {
      case "Buffer" -> slab.take(16);
      case "Elementwise" -> Elementwise.TANH;
      case "boolean" -> false;
      case "float" -> 0.5f;
      case "int" -> 2;
      case "long" -> 4L;
      default -> throw new AssertionError("add an argument of type " + type);
    };
  }

  /** Kernels in which this happens. */
  private static <T> T kernels(Class<T> type, Runnable during, IllegalStateException thrown) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> {
              during.run();
              throw thrown;
            }));
  }

  private Object edge(Class<?> type, Runnable during, IllegalStateException thrown) {
    return type == Pointwise.class
        ? new CheckedPointwise(device, kernels(Pointwise.class, during, thrown))
        : new CheckedColumns(device, kernels(Columns.class, during, thrown));
  }

  private static void call(Object edge, Method method, Slab slab) throws Throwable {
    Object[] arguments =
        Arrays.stream(method.getParameterTypes()).map(type -> argument(type, slab)).toArray();
    try {
      method.invoke(edge, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  @ParameterizedTest
  @ValueSource(classes = {Pointwise.class, Columns.class})
  void everyPublicKernelSaysThatItsMemoryWasClosed(Class<?> type) {
    IllegalStateException ofTheJvm = new IllegalStateException("Already closed");
    for (Method method : type.getMethods()) {
      Slab slab = KernelDevice.of(device).slab();
      Object edge = edge(type, slab::close, ofTheJvm);
      Thrown.says(
          IllegalStateException.class,
          () -> call(edge, method, slab),
          "buffer: 16 floats that were given back; use them before their tape is");
    }
  }

  @ParameterizedTest
  @ValueSource(classes = {Pointwise.class, Columns.class})
  void whatAKernelThrowsOtherwiseStaysAsItIs(Class<?> type) {
    IllegalStateException its = new IllegalStateException("of the kernel");
    for (Method method : type.getMethods()) {
      Slab slab = KernelDevice.of(device).slab();
      Object edge = edge(type, () -> {}, its);
      assertSame(its, assertThrows(IllegalStateException.class, () -> call(edge, method, slab)));
      slab.close();
    }
  }

  private static MemorySegment closed() {
    try (Arena arena = Arena.ofShared()) {
      return arena.allocate(64, 64);
    }
  }

  /** The JVM refuses it before C is reached. */
  @Test
  void aNativeCallOnClosedMemoryIsRefusedInOurWords() {
    Devices.onlyOnCpu("it calls the processor's libraries");
    MemorySegment closed = closed();
    List<Kernels.InstructionSet> present = Kernels.present();
    Kernels kernels = Kernels.open(present.getFirst(), 1);
    String[] words = {"native call: another thread gave memory of it back; close a tape after all"};
    Thrown.says(IllegalStateException.class, () -> cblas_h.cblas_sscal(4, 2, closed, 1), words);
    if (kernels != null) {
      Thrown.says(
          IllegalStateException.class,
          () -> recur_h.recur_fill(kernels.context(), 1, closed, 4),
          words);
    }
    assertEquals(
        "Already closed",
        assertThrows(IllegalStateException.class, () -> cblas_h.cblas_sscal(4, 2, closed, 1))
            .getCause()
            .getMessage());
  }
}
