package io.recur.serve;

import io.recur.device.Devices;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;

/** The laws of stores, on files. */
@Tag(Devices.CPU)
class FileStoreLawsTest extends StoreLaws {
  /** Opens a store of files. */
  public static final class Files implements Opens {
    /** For a child process. */
    public Files() {}

    @Override
    public SessionStore open(Path folder) throws IOException {
      return FileStore.open(folder);
    }
  }

  FileStoreLawsTest() {
    super(new Files());
  }
}
