package io.recur.device;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.Thrown;
import io.recur.device.cpu.CpuDevice;
import io.recur.device.cpu.Kernels;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** The limit that the Java kernels alone have. */
@Tag(Devices.CPU)
class JavaKernelsTest {
  private static final long MANY = 1L << 31;

  @AutoClose private final CpuDevice device = new CpuDevice(Kernels.InstructionSet.JAVA, 1);

  /** It says that it has that many words; the check comes before any of them is touched. */
  private final Buffer x = new Buffer(device, MemorySegment.NULL, MANY, device, false);

  @Test
  void moreValuesThanALoopCountsAreRefused() {
    Pointwise pointwise = device.pointwise();
    Buffer word = device.allocate(1);
    word.write(3);
    Map<String, Executable> calls = new LinkedHashMap<>();
    calls.put("fill", () -> pointwise.fill(1, x, MANY));
    calls.put("scale", () -> pointwise.scale(1, x, x, MANY));
    calls.put("addScaled", () -> pointwise.addScaled(1, x, x, MANY));
    calls.put("combine", () -> pointwise.combine(x, 1, x, x, MANY));
    calls.put("multiply", () -> pointwise.multiply(x, x, x, MANY));
    calls.put("addProduct", () -> pointwise.addProduct(x, x, x, MANY));
    calls.put("drop", () -> pointwise.drop(0.5f, 1, false, x, x, MANY));
    calls.put("sum", () -> pointwise.sum(x, MANY));
    calls.put("sumOfSquares", () -> pointwise.sumOfSquares(x, MANY));
    calls.put("addBroadcast", () -> pointwise.addBroadcast(1, word, x, MANY));
    calls.forEach(
        (name, call) ->
            Thrown.says(
                IllegalArgumentException.class,
                call,
                name + ": 2147483648 values; the Java kernels take at most 2147483647 per call",
                "slice by slice",
                "make native"));
    Thrown.says(
        IllegalArgumentException.class,
        () -> pointwise.sumInto(1, x, MANY, word),
        "sum: 2147483648");
    assertEquals(3, word.read()[0]);
  }
}
