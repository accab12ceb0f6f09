package io.recur.hostile;

import io.recur.serve.Histogram;
import io.recur.serve.Moving;
import io.recur.serve.Sessions;
import io.recur.serve.http.HttpCall;
import io.recur.serve.http.Reply;
import io.recur.serve.http.Repository;
import io.recur.serve.http.Routes;
import io.recur.serve.http.ServedModel;
import io.recur.serve.http.Server;
import io.recur.serve.http.ServerSettings;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/** Servers, what they serve, and their settings: on the loopback address, at a free port. */
final class HttpSamples {
  private static final ServerSettings SETTINGS = ServerSettings.LOCAL.withPort(0);

  private HttpSamples() {}

  static void addTo(Samples samples) {
    samples
        .add(Histogram.class, "of two bounds", world -> Histogram.of(1, 10))
        .add(ServedModel.class, "of sizes", world -> served(world).withSizes(2, 2))
        .add(
            ServedModel.class,
            "of text",
            world -> served(world).withSizes(2, 2).withVocabulary("ab"))
        .add(ServerSettings.class, "local", world -> SETTINGS)
        .add(ServerSettings.class, "with a token", world -> SETTINGS.withTokens("of-16-letters-or"))
        .add(Repository.class, "of a model", HttpSamples::repository)
        .add(Server.class, "of a model", HttpSamples::server)
        .add(HttpCall.class, "of the models", world -> new Asked("/v2/models", ""))
        .add(HttpCall.class, "of nothing that is there", world -> new Asked("", "\0"))
        .add(Routes.class, "to a model", HttpSamples::routes)
        .add(Reply.class, "of the models", world -> routes(world).reply(new Asked("/v2", "")))
        .add(OutputStream.class, "to nowhere", world -> OutputStream.nullOutputStream())
        .add(InetSocketAddress.class, "a free port", world -> SETTINGS.address())
        .add(
            InetSocketAddress.class,
            "unresolved",
            world -> InetSocketAddress.createUnresolved("nowhere.invalid", 1))
        .add(SSLContext.class, "without keys", world -> withoutKeys())
        .add(char[].class, "a password", world -> "password".toCharArray())
        .add(char[].class, "none", world -> new char[0]);
  }

  private static ServedModel served(World world) {
    Sessions sessions = Sessions.open(world.model(), world.device());
    world.keep(sessions::close);
    return ServedModel.of("model", sessions);
  }

  /** A request by GET with one value for all headers. */
  private record Asked(String path, String header) implements HttpCall {
    @Override
    public String method() {
      return "GET";
    }

    @Override
    public @Nullable String query() {
      return null;
    }

    @Override
    public String header(String name) {
      return header;
    }

    @Override
    public InputStream body() {
      return InputStream.nullInputStream();
    }
  }

  private static Routes routes(World world) {
    return Routes.of(SETTINGS, served(world));
  }

  private static Server server(World world) throws IOException {
    Server server = Server.open(SETTINGS, served(world));
    world.keep(server::close);
    return server;
  }

  /** It has the model that is served, and gives it again. */
  private static Repository repository(World world) {
    List<ServedModel> ours = List.of(served(world).withSizes(2, 2));
    return new Repository() {
      @Override
      public List<String> names() {
        return List.of("model");
      }

      @Override
      public List<ServedModel> load(String name, Moving moving) {
        return ours;
      }

      @Override
      public void unload(String name) {}
    };
  }

  private static SSLContext withoutKeys() throws NoSuchAlgorithmException {
    return SSLContext.getInstance("TLS");
  }
}
