package io.recur.device.natives;

import static io.recur.device.natives.NativeChild.classPath;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.ChildJvm;
import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Elementwise;
import io.recur.device.cpu.Kernels;
import java.io.File;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.lang.reflect.Method;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Class loaders beside and after each other in one JVM, each with the same jars, as a server has
 * them for its applications. It is about libraries in jars: the classes of this build are packed
 * into one first.
 */
class ClassLoadersTest {
  private static final int REDEPLOYMENTS = 20;

  @TempDir private Path folder;

  /** An application that a class loader of its own loads. */
  public static final class Application {
    private Application() {}

    /** Opens a device and computes. */
    public static AutoCloseable start() {
      Device device = Device.of(Devices.name());
      compute(device);
      return device;
    }

    /** Computes with all the device's threads. */
    public static void compute(AutoCloseable opened) {
      Device device = (Device) opened;
      int n = 1 << 20;
      Buffer x = device.allocate(n);
      x.write(new float[n]);
      device.pointwise().map(Elementwise.SIGMOID, x, x, n);
      float[] y = x.read();
      if (y[0] != 0.5f || y[n - 1] != 0.5f) {
        throw new AssertionError("the logistic of 0 is " + y[0] + " and " + y[n - 1]);
      }
    }
  }

  private static Method method(ClassLoader loader, String name, Class<?>... types)
      throws ReflectiveOperationException {
    return loader.loadClass(Application.class.getName()).getMethod(name, types);
  }

  private static URLClassLoader loader(String paths) throws IOException {
    List<URL> urls = new ArrayList<>();
    for (String path : paths.split(File.pathSeparator)) {
      urls.add(Path.of(path).toUri().toURL());
    }
    return new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
  }

  /** One application that runs on, and others that come and go; every third closes no device. */
  static final class InTurn {
    private InTurn() {}

    public static void main(String[] arguments) throws Exception {
      ClassLoader longest = loader(arguments[0]);
      AutoCloseable device = (AutoCloseable) method(longest, "start").invoke(null);
      List<WeakReference<ClassLoader>> closed = new ArrayList<>();
      List<WeakReference<ClassLoader>> left = new ArrayList<>();
      for (int i = 0; i < REDEPLOYMENTS; i++) {
        boolean closes = i % 3 > 0;
        (closes ? closed : left).add(new WeakReference<>(redeploy(arguments[0], closes)));
        System.gc();
        method(longest, "compute", AutoCloseable.class).invoke(null, device);
      }
      for (int i = 0; i < 100 && alive(closed) + alive(left) > 0; i++) {
        System.gc();
        Thread.sleep(50); // for the cleaners
      }
      method(longest, "compute", AutoCloseable.class).invoke(null, device);
      device.close();
      System.out.println("alive: " + alive(closed) + " and " + alive(left));
      System.out.println("mapped: " + mapped().size() + " " + mapped());
    }

    private static ClassLoader redeploy(String paths, boolean closes) throws Exception {
      try (URLClassLoader loader = loader(paths)) {
        AutoCloseable device = (AutoCloseable) method(loader, "start").invoke(null);
        if (closes) {
          device.close();
        }
        return loader;
      }
    }

    private static long alive(List<WeakReference<ClassLoader>> loaders) {
      return loaders.stream().filter(loader -> loader.get() != null).count();
    }

    /** The files of OpenBLAS and of the C kernels that this process has mapped; on Linux alone. */
    private static Set<String> mapped() throws IOException {
      Path maps = Path.of("/proc/self/maps");
      if (!Files.exists(maps)) {
        return Set.of();
      }
      try (Stream<String> lines = Files.lines(maps)) {
        return lines
            .filter(line -> line.contains("libopenblas") || line.contains("librecur."))
            .map(line -> line.substring(line.indexOf('/')))
            .collect(Collectors.toSet());
      }
    }
  }

  /** Four applications that start at once. */
  static final class AtOnce {
    private AtOnce() {}

    public static void main(String[] arguments) throws Exception {
      int applications = 4;
      try (ExecutorService threads = Executors.newFixedThreadPool(applications)) {
        Callable<Boolean> start =
            () -> {
              URLClassLoader loader = loader(arguments[0]);
              ((AutoCloseable) method(loader, "start").invoke(null)).close();
              return true;
            };
        for (Future<Boolean> one : threads.invokeAll(List.of(start, start, start, start))) {
          one.get();
        }
      }
      System.out.println("started: " + applications);
    }
  }

  /**
   * The class path of this run, with the library's own classes in a jar, as they may be already.
   */
  private String packed(Path jar) throws Exception {
    URI location = Device.class.getProtectionDomain().getCodeSource().getLocation().toURI();
    Path classes = Path.of(location);
    if (Files.isRegularFile(classes)) {
      return classPath();
    }
    Files.createDirectories(jar.getParent());
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(jar));
        Stream<Path> files = Files.walk(classes)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = classes.relativize(file).toString().replace(File.separatorChar, '/');
        if (!name.equals("module-info.class")) {
          out.putNextEntry(new ZipEntry(name));
          out.write(Files.readAllBytes(file));
        }
      }
    }
    return Stream.of(classPath().split(File.pathSeparator))
        .map(path -> Path.of(path).equals(classes) ? jar.toString() : path)
        .collect(Collectors.joining(File.pathSeparator));
  }

  private String run(Class<?> program, Path cache) throws Exception {
    Path temporary = Files.createDirectories(folder.resolve("tmp"));
    return ChildJvm.run(
        program,
        List.of("-Dio.recur.cache=" + cache, "-Djava.io.tmpdir=" + temporary),
        packed(folder.resolve("classes.jar")));
  }

  private static void assertOneOfEachIsMapped(String printed) {
    String libraries = Files.exists(Path.of("/proc/self/maps")) && Devices.isCpu() ? "2 " : "";
    assertTrue(printed.contains("mapped: " + libraries), printed);
  }

  @Test
  void applicationsComeAndGoWhileOneRuns() throws Exception {
    String printed = run(InTurn.class, folder.resolve("cache"));
    // the thread keeps the last of those that left a GPU's device open
    assertTrue(printed.contains(Devices.isCpu() ? "alive: 0 and 0" : "alive: 0 and "), printed);
    assertFalse(printed.contains("WARNING: the cache"), printed);
    assertOneOfEachIsMapped(printed);
  }

  @Test
  @Tag(Devices.CPU)
  void applicationsShareOnePrivateFolder() throws Exception {
    Path file = Files.writeString(folder.resolve("file"), "no folder");
    String printed = run(InTurn.class, file.resolve("cache"));
    assertEquals(1, NativeChild.count(printed, "WARNING: the cache cannot be used"), printed);
    assertOneOfEachIsMapped(printed);
  }

  @Test
  void applicationsStartAtOnce() throws Exception {
    String printed = run(AtOnce.class, folder.resolve("cache"));
    assertTrue(printed.contains("started: 4"), printed);
    assertFalse(printed.contains("WARNING: the cache"), printed);
  }

  @Test
  @Tag(Devices.CPU)
  void theJarMayBeInAnyFolder() throws Exception {
    String paths = packed(folder.resolve("odd!/50% re+cur!/the jar.jar"));
    String cache = "-Dio.recur.cache=" + folder.resolve("cache");
    String printed =
        NativeChild.start(folder, List.of(), paths, List.of(NativeChild.ACCESS, cache)).opened();
    assertEquals(Kernels.present().size() == 1, printed.contains("kernels java"), printed);
  }
}
