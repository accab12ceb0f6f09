package io.recur.serve.rocksdb;

import io.recur.device.Devices;
import io.recur.serve.SessionStore;
import io.recur.serve.StoreLaws;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;

/** The laws of stores, in RocksDB. */
@Tag(Devices.CPU)
class RocksStoreLawsTest extends StoreLaws {
  /** Opens a store in RocksDB. */
  public static final class Rocks implements Opens {
    /** For a child process. */
    public Rocks() {}

    @Override
    public SessionStore open(Path folder) throws IOException {
      return RocksStore.open(folder);
    }
  }

  RocksStoreLawsTest() {
    super(new Rocks());
  }
}
