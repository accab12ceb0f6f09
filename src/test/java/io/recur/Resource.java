package io.recur;

import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.Objects;

/** A file of {@code src/test/resources}, wherever its compiled copy is: in a checkout or packed. */
public final class Resource {
  private Resource() {}

  /** {@return the file of a name that begins with a slash, as {@code /torch/text.pt}} */
  public static Path file(String name) {
    URL url = Objects.requireNonNull(Resource.class.getResource(name), name);
    try {
      return Path.of(url.toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }
}
