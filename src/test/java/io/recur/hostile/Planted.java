package io.recur.hostile;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Public methods without checks, for {@link HostileCallsTest} to find. */
public final class Planted {
  private Planted() {}

  /** Throws the JVM's own exception. */
  public static final class Raw {
    private Raw() {}

    public static float value(int index) {
      return new float[4][index].length;
    }
  }

  /** Writes to an unmapped address. */
  public static final class Crash {
    private Crash() {}

    public static void write(int index) {
      if (index < 0) {
        MemorySegment.ofAddress(8).reinterpret(8).set(ValueLayout.JAVA_BYTE, 0, (byte) 1);
      }
    }
  }

  /** Takes a type that the catalogue does not have. */
  public static final class Unknown {
    private Unknown() {}

    public static String name(ProcessHandle process) {
      return process.toString();
    }
  }
}
