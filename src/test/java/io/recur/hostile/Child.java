package io.recur.hostile;

import io.recur.device.Device;
import io.recur.grad.Graph;
import io.recur.grad.Trace;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.module.ModuleDescriptor;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a child JVM runs: {@code Child DEVICE FOLDER MOST [CLASS]} walks all public types of the
 * packages that the module exports, or one class.
 */
final class Child {
  private Child() {}

  public static void main(String[] arguments) throws Exception {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    World.Devices devices = new World.Devices(arguments[0], Path.of(arguments[1]));
    Samples samples = new Samples();
    TensorSamples.addTo(samples);
    ModelSamples.addTo(samples);
    ServeSamples.addTo(samples);
    KafkaSamples.addTo(samples);
    NetworkSamples.addTo(samples);
    HttpSamples.addTo(samples);
    Walk walk = new Walk(devices, samples, Integer.parseInt(arguments[2]), out);
    List<Class<?>> types = arguments.length > 3 ? List.of(Class.forName(arguments[3])) : exported();
    for (Class<?> type : types) {
      walk.walk(type);
    }
    walk.end();
    Runtime.getRuntime().halt(0); // does not wait for threads that a hostile call has started
  }

  /** The public types of the packages that the module exports, nested ones included. */
  static List<Class<?>> exported() throws IOException, URISyntaxException, ClassNotFoundException {
    Path classes =
        Path.of(Device.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    ModuleDescriptor module;
    try (InputStream descriptor = Files.newInputStream(classes.resolve("module-info.class"))) {
      module = ModuleDescriptor.read(descriptor);
    }
    List<Class<?>> found = new ArrayList<>();
    for (String name : module.exports().stream().map(export -> export.source()).sorted().toList()) {
      try (Stream<Path> files = Files.list(classes.resolve(name.replace('.', '/')))) {
        for (Path file : files.sorted().toList()) {
          String simple = file.getFileName().toString();
          if (simple.endsWith(".class") && !simple.equals("package-info.class")) {
            Class<?> type =
                Class.forName(
                    name + "." + simple.substring(0, simple.length() - ".class".length()));
            if (isPublic(type)) {
              found.add(type);
            }
          }
        }
      }
    }
    return found;
  }

  private static boolean isPublic(Class<?> type) {
    return Modifier.isPublic(type.getModifiers())
        && !type.isAnonymousClass()
        && !Throwable.class.isAssignableFrom(type)
        && type != Graph.class // plain data between the trace and the compiler, and all in it
        && type != Trace.class // what an operation uses to describe itself
        && (type.getEnclosingClass() == null || isPublic(type.getEnclosingClass()));
  }
}
