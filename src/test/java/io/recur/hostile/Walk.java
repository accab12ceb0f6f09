package io.recur.hostile;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.DeviceException;
import io.recur.grad.Op;
import io.recur.grad.ShapeException;
import io.recur.grad.Tensor;
import io.recur.hostile.Samples.Sample;
import io.recur.serve.SessionException;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Calls public methods and constructors with good and hostile values, and judges the outcome. */
final class Walk {
  /** The documented kinds of exceptions. A subclass that the JDK throws is none of them. */
  private static final Set<Class<?>> DOCUMENTED =
      Set.of(
          ShapeException.class,
          IllegalArgumentException.class,
          IndexOutOfBoundsException.class,
          IllegalStateException.class,
          DeviceException.class,
          SessionException.class);

  /** Further exceptions that single methods document. */
  private static final Map<String, Class<?>> ALSO =
      Map.of("Trainer.pass", ArithmeticException.class, "Fit.run", ArithmeticException.class);

  /** The methods of operations that are not called: only a tape holds one. */
  private static final Set<String> OF_OPERATIONS = Set.of("backward", "trace");

  /** The most calls of one method. Of more combinations, a random part is called. */
  private final int most;

  private final World.Devices devices;
  private final Samples samples;
  private final PrintStream out;
  private final Random random = new Random(1);
  private long calls;
  private long returned;
  private long methods;
  private long excluded;

  Walk(World.Devices devices, Samples samples, int most, PrintStream out) {
    this.devices = devices;
    this.samples = samples;
    this.most = most;
    this.out = out;
  }

  /** Walks the public methods and constructors of a class. */
  void walk(Class<?> type) throws Exception {
    for (Constructor<?> constructor : type.getConstructors()) {
      if (!Modifier.isAbstract(type.getModifiers())) {
        walk(type, constructor, List.of());
      }
    }
    Method[] declared = type.getDeclaredMethods();
    Arrays.sort(declared, (a, b) -> a.toGenericString().compareTo(b.toGenericString()));
    for (Method method : declared) {
      if (isCalled(type, method)) {
        boolean isStatic = Modifier.isStatic(method.getModifiers());
        walk(type, method, isStatic ? List.of() : samples.receivers(type));
      }
    }
  }

  /** {@return whether a method is public and in the source: bridges and enums' methods are not} */
  private static boolean isCalled(Class<?> type, Method method) {
    boolean ofEnum =
        type.isEnum() && (method.getName().equals("values") || method.getName().equals("valueOf"));
    boolean ofOperation =
        Op.class.isAssignableFrom(type) && OF_OPERATIONS.contains(method.getName());
    return Modifier.isPublic(method.getModifiers())
        && !ofOperation
        && !method.isBridge()
        && !method.isSynthetic()
        && !ofEnum;
  }

  private void walk(Class<?> type, Executable executable, List<Sample> receivers) throws Exception {
    List<List<Sample>> choices = new ArrayList<>();
    if (!receivers.isEmpty()) {
      choices.add(receivers);
    }
    for (var parameter : executable.getGenericParameterTypes()) {
      choices.add(samples.of(parameter));
    }
    methods++;
    long before = returned;
    String name = name(type, executable);
    for (int[] choice : combinations(choices)) {
      List<Sample> chosen = new ArrayList<>();
      for (int i = 0; i < choice.length; i++) {
        chosen.add(choices.get(i).get(choice[i]));
      }
      call(name, executable, !receivers.isEmpty(), chosen);
    }
    if (returned == before) {
      out.println("NEVER " + name);
    }
  }

  private static String name(Class<?> type, Executable executable) {
    String simple = type.getName().substring(type.getPackageName().length() + 1).replace('$', '.');
    return executable instanceof Constructor<?>
        ? "new " + simple
        : simple + "." + executable.getName();
  }

  /**
   * {@return all combinations if they are few; else the good one, each value alone, random ones}
   */
  private List<int[]> combinations(List<List<Sample>> choices) {
    double all = 1;
    for (List<Sample> choice : choices) {
      all *= choice.size();
    }
    List<int[]> found = new ArrayList<>();
    if (all <= most) {
      int[] at = new int[choices.size()];
      for (int i = 0; i < all; i++) {
        found.add(at.clone());
        for (int k = 0; k < at.length && ++at[k] == choices.get(k).size(); k++) {
          at[k] = 0;
        }
      }
      return found;
    }
    found.add(new int[choices.size()]);
    for (int k = 0; k < choices.size(); k++) {
      for (int value = 1; value < choices.get(k).size(); value++) {
        int[] alone = new int[choices.size()];
        alone[k] = value;
        found.add(alone);
      }
    }
    while (found.size() < most) {
      found.add(choices.stream().mapToInt(choice -> random.nextInt(choice.size())).toArray());
    }
    return found;
  }

  private void call(String name, Executable executable, boolean receives, List<Sample> chosen)
      throws Exception {
    String call = name + chosen.stream().map(Sample::name).toList();
    out.println("CALL " + call);
    try (World world = new World(devices)) {
      List<@Nullable Object> values = values(world, chosen);
      if (values.size() < chosen.size()) {
        return;
      }
      calls++;
      Object receiver = receives ? values.removeFirst() : null;
      try {
        Object result = invoke(executable, receiver, values.toArray());
        returned++;
        use(call, world, result);
      } catch (InvocationTargetException e) {
        judge(call, name, executable, chosen, e.getCause());
      }
      probe(call, name);
    }
  }

  /** {@return the values; fewer if two exclude each other, such as history and a cleared tape} */
  private List<@Nullable Object> values(World world, List<Sample> chosen) throws Exception {
    List<@Nullable Object> values = new ArrayList<>();
    try {
      for (Sample sample : chosen) {
        values.add(sample.in(world));
      }
    } catch (IllegalStateException e) {
      excluded++;
    }
    return values;
  }

  private static @Nullable Object invoke(
      Executable executable, @Nullable Object receiver, @Nullable Object[] arguments)
      throws ReflectiveOperationException {
    return switch (executable) {
      case Constructor<?> constructor -> constructor.newInstance(arguments);
      case Method method -> method.invoke(receiver, arguments);
    };
  }

  /** Uses the result of a call: a tensor or buffer larger than its memory would end the JVM. */
  private void use(String call, World world, @Nullable Object result) throws Exception {
    try {
      if (result instanceof Tensor tensor && tensor.shape().count() <= 1 << 20) {
        tensor.toArray();
      } else if (result instanceof Buffer buffer && buffer.floats() <= 1 << 20) {
        buffer.read();
      } else if (result != null) {
        result.toString();
      }
      if (result instanceof AutoCloseable closeable && world.isFresh(result)) {
        closeable.close();
      }
    } catch (RuntimeException e) {
      if (!DOCUMENTED.contains(e.getClass())) {
        violation("the result of " + call, e);
      }
    }
  }

  private void judge(
      String call, String name, Executable executable, List<Sample> chosen, Throwable thrown) {
    boolean declared =
        Arrays.stream(executable.getExceptionTypes()).anyMatch(type -> type.isInstance(thrown));
    boolean ofNull =
        thrown instanceof NullPointerException && chosen.stream().anyMatch(Sample::holdsNull);
    boolean ours =
        DOCUMENTED.contains(thrown.getClass())
            && thrown.getStackTrace().length > 0
            && thrown.getStackTrace()[0].getClassName().startsWith("io.recur.");
    boolean also = ALSO.get(name) == thrown.getClass();
    if (!declared && !ofNull && !ours && !also) {
      violation(call, thrown);
    }
  }

  /** Fails unless the device still works after the call. */
  private void probe(String call, String name) {
    try {
      devices.other().checkOpen();
      compute(call);
    } catch (IndexOutOfBoundsException e) {
      again(call); // a GPU throws for a bad index at the next read, and then works
    } catch (RuntimeException e) {
      if (!name.equals("Device.close")) {
        violation("the device after " + call, e);
      }
      devices.reopen();
    }
  }

  private void again(String call) {
    try {
      compute(call);
    } catch (RuntimeException e) {
      violation("the device after " + call, e);
      devices.reopen();
    }
  }

  private void compute(String call) {
    Device device = devices.device();
    Buffer word = device.allocate(1);
    device.pointwise().fill(1, word, 1);
    if (word.read()[0] != 1) {
      out.println("VIOLATION " + call + ": the device computes wrongly afterwards");
    }
  }

  private void violation(String call, Throwable thrown) {
    StackTraceElement[] trace = thrown.getStackTrace();
    String where =
        Arrays.stream(trace)
            .filter(frame -> frame.getClassName().startsWith("io.recur."))
            .limit(3)
            .map(StackTraceElement::toString)
            .toList()
            .toString();
    out.println("VIOLATION " + call + ": " + ("" + thrown).replace('\n', ' ') + " " + where);
  }

  void end() throws IOException {
    out.printf(
        "DONE methods=%d calls=%d returned=%d excluded=%d%n", methods, calls, returned, excluded);
    out.flush();
  }
}
