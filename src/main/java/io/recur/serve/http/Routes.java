package io.recur.serve.http;

import io.recur.device.DeviceException;
import io.recur.io.json.Json;
import io.recur.serve.SessionException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Answers requests by their paths, whatever server they came through: for a program that has a
 * server of its own. {@link Server} is these routes behind the JDK's. A caller gets each error as
 * its answer.
 *
 * <pre>{@code
 * Routes routes = Routes.of(ServerSettings.LOCAL, ServedModel.of("forecast", sessions));
 * routes.drain();
 * }</pre>
 *
 * <p>Tokens and all bounds of the settings hold but those of the connection: their port, times and
 * TLS are the server's own. Their address says whether the routes stand on the loopback address,
 * where they refuse requests under other names. Many threads may call; each waits for its answer,
 * so that virtual threads are the right ones.
 */
public final class Routes {
  /** What stands in a header Host that names no site. */
  private static final Pattern ADDRESS =
      Pattern.compile("(localhost|[\\d.]+|\\[[0-9a-fA-F:.]+])(:\\d+)?");

  private final Loading loading;
  private final int mostBodyBytes;
  private final int mostSymbols;
  private final Metrics metrics;
  private final Tokens tokens;

  /** Whether a browser's page of another site could call: nobody needs a token. */
  private final boolean isOpenToAll;

  private final boolean isLocal;
  private final Page page = new Page();
  private volatile boolean isDraining;

  Routes(ServerSettings settings, @Nullable Repository repository, List<ServedModel> served) {
    if (served.isEmpty()) {
      throw new IllegalArgumentException("server: no model; name one or more");
    }
    this.loading = new Loading(settings, repository, served);
    this.mostBodyBytes = settings.mostBodyBytes();
    this.mostSymbols = settings.mostSymbols();
    this.metrics = new Metrics(() -> loading.models().values());
    this.tokens = new Tokens(settings.tokens(), settings.requestsPerSecond());
    this.isOpenToAll = settings.tokens().isEmpty();
    InetAddress address = settings.address().getAddress();
    this.isLocal = address != null && address.isLoopbackAddress();
  }

  /**
   * Routes to models.
   *
   * @param settings to whom, and how much
   * @param models each with a name of its own, or versions of a name, the newest last; their owner
   *     closes the sessions after the last answer
   * @return the routes
   * @throws IllegalArgumentException if there are no models, or two of one name that are no
   *     versions of the same sessions
   */
  public static Routes of(ServerSettings settings, ServedModel... models) {
    return new Routes(settings, null, List.of(models));
  }

  /**
   * Routes to models, which clients may load and unload as well.
   *
   * @param settings to whom, and how much
   * @param repository what it is asked to load and to unload; its owner closes what it has loaded
   * @param models those that are loaded
   * @return the routes
   * @throws IllegalArgumentException as {@link #of(ServerSettings, ServedModel...)}
   */
  public static Routes of(ServerSettings settings, Repository repository, ServedModel... models) {
    return new Routes(settings, Objects.requireNonNull(repository, "repository"), List.of(models));
  }

  /** Refuses requests from now on, and is no longer ready: before the server ends. */
  public void drain() {
    isDraining = true;
  }

  /**
   * Answers a request.
   *
   * @param request which the server closes
   * @return to be sent and closed by the server
   * @throws IOException if its client has gone
   */
  public Reply reply(HttpCall request) throws IOException {
    Objects.requireNonNull(request, "request");
    Reply reply;
    try {
      reply = answered(new Call(request, mostBodyBytes));
    } catch (Refusal e) {
      reply = refused(e.status, e.getMessage(), e.retrySeconds);
    } catch (SessionException e) {
      reply = refused(e);
    } catch (IllegalArgumentException | ArithmeticException e) { // of the model, or of a state
      reply = refused(Refusal.BAD, e.getMessage(), 0);
    } catch (DeviceException | UncheckedIOException e) { // no memory, or a store that fails
      reply = refused(Refusal.UNAVAILABLE, e.getMessage(), 1);
    } catch (RuntimeException e) {
      reply = refused(Refusal.FAILED, "the server failed: " + e, 0);
    }
    metrics.answered(reply.status());
    return reply;
  }

  private static Reply refused(int status, String message, int retrySeconds) {
    Reply reply = Reply.error(status, String.valueOf(message));
    if (status == Refusal.UNAUTHORISED) {
      reply.with("WWW-Authenticate", "Bearer");
    }
    return retrySeconds > 0 ? reply.with("Retry-After", Integer.toString(retrySeconds)) : reply;
  }

  private static Reply refused(SessionException e) {
    return switch (e.reason()) {
      case UNKNOWN -> refused(Refusal.NOT_FOUND, e.getMessage(), 0);
      case OPEN, FAILED, PASSED, VERSION -> refused(Refusal.CONFLICT, e.getMessage(), 0);
      case OVERFULL -> refused(Refusal.TOO_MANY, e.getMessage(), 1);
      case LATE -> refused(Refusal.LATE, e.getMessage(), 0);
      case CLOSED -> refused(Refusal.UNAVAILABLE, e.getMessage(), 1);
    };
  }

  /**
   * Refuses what a page of another site sends from a browser on this machine: under its own origin,
   * or under a name of its own that leads here.
   */
  private void refuseOtherSites(Call call) {
    String host = String.valueOf(call.header("Host"));
    String origin = call.header("Origin");
    boolean isNamed = isLocal && !ADDRESS.matcher(host).matches();
    if (isOpenToAll && (isNamed || origin != null && !origin.endsWith("://" + host))) {
      throw new Refusal(
          Refusal.FORBIDDEN,
          "host=%s, origin=%s; without tokens a local server answers under its address, to its own page"
              .formatted(Json.shown(host), Json.shown(String.valueOf(origin))));
    }
  }

  private Reply answered(Call call) throws IOException {
    refuseOtherSites(call);
    String path = call.path();
    switch (path) {
      case "/" -> {
        need(call, "GET");
        return page.reply();
      }
      case "/v2/health/live" -> {
        need(call, "GET");
        return Reply.json("{\"live\": true}");
      }
      case "/v2/health/ready" -> {
        need(call, "GET");
        return ready("");
      }
      default -> tokens.admit(call.header("Authorization"));
    }
    if (isDraining) {
      throw new Refusal(Refusal.UNAVAILABLE, "the server ends; it takes no more requests", 1);
    }
    switch (path) {
      case "/metrics" -> {
        need(call, "GET");
        return Reply.of(Metrics.TYPE, metrics.text().getBytes(StandardCharsets.UTF_8));
      }
      case "/v2", "/v2/" -> {
        need(call, "GET");
        return Reply.json(
            """
            {"name": "recur", "version": "2", \
            "extensions": ["binary_tensor_data", "sequence", "sequence(string_id)", "generate", \
            "model_repository"]}""");
      }
      case "/v2/models" -> {
        need(call, "GET");
        return Reply.json(
            loading.models().keySet().stream()
                .map(Json::quoted)
                .collect(Collectors.joining(", ", "{\"models\": [", "]}")));
      }
      case "/v2/repository/index" -> {
        need(call, "POST");
        return loading.index(call);
      }
      default -> {
        String[] parts = path.split("/", -1);
        return path.startsWith("/v2/repository/")
            ? ofRepository(call, parts)
            : ofModel(call, parts);
      }
    }
  }

  /** Answers for {@code /v2/repository/models/NAME/load} and {@code unload}. */
  private Reply ofRepository(Call call, String... parts) throws IOException {
    boolean isChange =
        parts.length == 6 && parts[3].equals("models") && parts[5].matches("(un)?load");
    if (!isChange) {
      throw noPath(call);
    }
    need(call, "POST");
    return parts[5].equals("load") ? loading.load(call, parts[4]) : loading.unload(parts[4]);
  }

  private static void need(Call call, String method) {
    String its = call.method();
    if (!its.equals(method) && !(method.equals("GET") && its.equals("HEAD"))) {
      throw new Refusal(
          Refusal.OTHER_METHOD, "method %s; this path takes %s".formatted(Json.shown(its), method));
    }
  }

  private Reply ready(String name) {
    String model = name.isEmpty() ? "" : "\"name\": %s, ".formatted(Json.quoted(name));
    return isDraining
        ? Reply.json(Refusal.UNAVAILABLE, "{%s\"ready\": false}".formatted(model))
        : Reply.json("{%s\"ready\": true}".formatted(model));
  }

  private static Refusal noPath(Call call) {
    return new Refusal(
        Refusal.NOT_FOUND,
        "path %s: there is nothing; see /v2 and /v2/models".formatted(Json.shown(call.path())));
  }

  // Models.

  /** Answers for {@code /v2/models/NAME[/versions/VERSION][/WHAT…]}. */
  private Reply ofModel(Call call, String... parts) throws IOException {
    boolean isOfModel = parts.length > 3 && parts[1].equals("v2") && parts[2].equals("models");
    if (!isOfModel) {
      throw noPath(call);
    }
    ServedVersions its = loading.served(parts[3]);
    int at = 4;
    String version = "";
    if (parts.length > 5 && parts[4].equals("versions")) {
      version = parts[5];
      at = 6;
    }
    Served named = version.isEmpty() ? its.newest() : its.named(version);
    if (named == null) {
      throw its.unknown(version);
    }
    String what = at < parts.length ? parts[at] : "";
    if (at + 1 < parts.length && what.equals("sequences")) {
      return ofSequence(call, its, at + 2 < parts.length ? parts[at + 2] : "", parts[at + 1]);
    }
    if (at + 1 < parts.length) {
      throw noPath(call);
    }
    Choice choice = new Choice(version, its, () -> loading.settled(parts[3]));
    switch (what) {
      case "" -> {
        need(call, "GET");
        return Reply.json(named.metadata(its.names()));
      }
      case "ready" -> {
        need(call, "GET");
        return ready(its.name());
      }
      case "infer" -> {
        need(call, "POST");
        return Inference.infer(call, choice);
      }
      case "generate", "generate_stream" -> {
        need(call, "POST");
        boolean isStream = what.equals("generate_stream");
        return Generation.generate(call, choice, mostSymbols, isStream);
      }
      default -> throw noPath(call);
    }
  }

  private static Reply ofSequence(Call call, ServedVersions its, String what, String part)
      throws IOException {
    States states = new States(its.sequences());
    SequenceId id = SequenceId.ofPath(part, "as=text".equals(call.query()));
    return switch (what + " " + call.method()) {
      case " GET", " HEAD" -> states.isOpen(id);
      case " DELETE" -> states.delete(id);
      case "state GET", "state HEAD" -> states.get(id);
      case "state PUT" -> states.put(id, call);
      case "fork POST" -> states.fork(id, call);
      case "reset POST" -> states.reset(id);
      default -> {
        need(
            call,
            switch (what) {
              case "" -> "GET or DELETE";
              case "state" -> "GET or PUT";
              case "fork", "reset" -> "POST";
              default -> throw noPath(call);
            });
        throw noPath(call);
      }
    };
  }
}
