package io.recur.hostile;

import io.recur.nn.StateBatch;
import io.recur.serve.Batching;
import io.recur.serve.FileStore;
import io.recur.serve.Idle;
import io.recur.serve.Request;
import io.recur.serve.SessionStore;
import io.recur.serve.Sessions;
import io.recur.serve.Versions;
import io.recur.serve.rocksdb.RocksStore;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;

/** Values of the room serve, and of the states that it moves. */
final class ServeSamples {
  private ServeSamples() {}

  static void addTo(Samples samples) {
    samples
        .add(Sessions.class, "two open", ServeSamples::sessions)
        .add(Sessions.class, "one failed", ServeSamples::failed)
        .add(FileStore.class, "one session", ServeSamples::store)
        .add(SessionStore.class, "of files", ServeSamples::store)
        .add(InstantSource.class, "the system's", world -> InstantSource.system())
        .add(Idle.class, "after a second", world -> Idle.after(1000, store(world)))
        .add(Batching.class, "adaptive", world -> Batching.ADAPTIVE)
        .add(Batching.class, "one by one", world -> new Batching(1, 10, 1))
        .add(Request.class, "a step", world -> Request.of(1, 2))
        .add(Request.class, "numbered", world -> Request.of(1, 2).numbered(3))
        .add(Request.class, "a sequence", world -> Request.of(new float[3][2]))
        .add(Request.class, "one-hot", world -> Request.symbols(2, 0, 1))
        .add(Request.class, "not a number", world -> Request.of(Float.NaN, 2))
        .add(Request.class, "of another size", world -> Request.of(1, 2, 3))
        .add(Request.class, "too late", world -> Request.of(1, 2).within(0))
        .add(Versions.class, "one", world -> sessions(world).versions())
        .add(RocksStore.class, "empty", ServeSamples::rocks)
        .add(StateBatch.class, "loaded", ServeSamples::loaded)
        .add(StateBatch.class, "new", world -> new StateBatch(world.model().fork(), 2));
  }

  private static Sessions sessions(World world) {
    Sessions sessions = Sessions.open(world.model(), world.device());
    world.keep(sessions::close);
    sessions.open(1, 2);
    sessions.open("w");
    sessions.step(1, 1, 2);
    return sessions;
  }

  private static FileStore store(World world) throws IOException {
    Path folder = Files.createTempDirectory(world.devices().folder, "store");
    FileStore store = FileStore.open(folder);
    world.keep(store::close);
    store.put(new byte[9], new byte[5]);
    return store;
  }

  private static RocksStore rocks(World world) throws IOException {
    RocksStore store = RocksStore.open(Files.createTempDirectory(world.devices().folder, "rocks"));
    world.keep(store::close);
    return store;
  }

  private static Sessions failed(World world) {
    Sessions sessions = sessions(world);
    sessions.stepAsync(1, Request.of(Float.NaN, 1));
    return sessions;
  }

  private static StateBatch loaded(World world) {
    StateBatch states = new StateBatch(world.model().fork(), 4);
    MemorySegment values = MemorySegment.ofArray(new byte[4 * states.floats()]);
    states.load(new MemorySegment[] {values, values}, new long[2]);
    return states;
  }
}
