package io.recur;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;

/** Loads a package of ours afresh, and finds nothing of some packages: a library is missing. */
public final class Without extends ClassLoader {
  private final String ours;
  private final List<String> missing;

  /**
   * Finds the classes of the tests, but for those that are missing.
   *
   * @param ours a class of the package that is loaded afresh
   * @param missing the beginnings of names of classes
   */
  public Without(Class<?> ours, String... missing) {
    super(ours.getClassLoader());
    this.ours = ours.getPackageName() + ".";
    this.missing = List.of(missing);
  }

  /** The class of the same name that meets the missing library. */
  public Class<?> its(Class<?> type) throws ClassNotFoundException {
    return loadClass(type.getName());
  }

  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    if (missing.stream().anyMatch(name::startsWith)) {
      throw new ClassNotFoundException(name);
    }
    Class<?> known = findLoadedClass(name);
    if (known != null || !name.startsWith(ours)) {
      return known != null ? known : super.loadClass(name, resolve);
    }
    try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
      byte[] bytes = in.readAllBytes();
      return defineClass(name, bytes, 0, bytes.length);
    } catch (IOException e) {
      throw new ClassNotFoundException(name, e);
    }
  }
}
