package io.recur.serve.http;

import io.recur.serve.Moving;
import java.io.IOException;
import java.util.List;

/**
 * Where a server gets models that clients load and unload while others are served: the model
 * repository of the protocol. A server calls it by one thread at a time.
 *
 * <pre>{@code
 * Repository ours = new Repository() {
 *   @Override public List<String> names() {
 *     return List.of("forecast");
 *   }
 *
 *   @Override public List<ServedModel> load(String name, Moving moving) {
 *     int number = sessions.versions().replace(retrained, moving);
 *     return List.of(ServedModel.of(name, sessions).withVersion("" + number, number));
 *   }
 *
 *   @Override public void unload(String name) {
 *     sessions.drain();
 *   }
 * };
 * Server server =
 *     Server.open(ServerSettings.LOCAL, ours, ServedModel.of("forecast", sessions));
 * }</pre>
 */
public interface Repository {
  /** {@return the names of the models that it can load, loaded or not} */
  List<String> names();

  /**
   * Loads a model, whose weights may be new. Where it throws, the model is served as before.
   *
   * @param name one of {@link #names}
   * @param moving when sequences of earlier versions move to the newest
   * @return all versions that are served from now on, the newest last
   * @throws IOException if a file cannot be read
   * @throws IllegalArgumentException if the states of the sequences do not fit the newest
   */
  List<ServedModel> load(String name, Moving moving) throws IOException;

  /**
   * Unloads a model, which is not served any more: its sessions are closed.
   *
   * @param name one of {@link #names}
   * @throws IOException if sessions do not go to their store
   */
  void unload(String name) throws IOException;
}
