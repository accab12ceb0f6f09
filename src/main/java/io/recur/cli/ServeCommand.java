package io.recur.cli;

import io.recur.device.Device;
import io.recur.serve.Batching;
import io.recur.serve.http.Server;
import io.recur.serve.http.ServerSettings;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code recur serve}: sessions of models over HTTP. */
@Command(
    name = "serve",
    description = {
      "Serves models over HTTP, a state for each session: the Open Inference Protocol 2 with"
          + " Triton's sequences, states, streams of text, metrics, and a page at /.",
      "It listens on this machine alone unless --host says otherwise. On SIGTERM it answers what has"
          + " come and ends; a second signal ends it at once."
    },
    mixinStandardHelpOptions = true,
    showDefaultValues = true)
final class ServeCommand implements Callable<Integer> {
  static final String TOKEN = "RECUR_TOKEN";
  static final String PASSWORD = "RECUR_KEY_STORE_PASSWORD";

  @Parameters(
      arity = "1..*",
      paramLabel = "[NAME=]MODEL",
      description = {
        "Of recur train, of recur convert, of PyTorch (safetensors, .pt), ONNX or Keras; its name"
            + " is that of its file unless given.",
        "A NAME that is given again adds a version: 1, 2 and so on, all served, the last one by"
            + " default. So does a folder with a folder for each version, named by its number."
      })
  private List<String> models = List.of();

  @Option(names = "--host", paramLabel = "HOST", description = "Address; 0.0.0.0 is all of them.")
  private String host = "127.0.0.1";

  @Option(names = "--port", paramLabel = "PORT", description = "0: any that is free.")
  private int port = 8000;

  @Option(
      names = "--tokens",
      paramLabel = "FILE",
      description = {
        "A bearer token per line, of which each request needs one;",
        "without it the one of the environment's " + TOKEN + ", if there is one."
      })
  private @Nullable Path tokens;

  @Option(
      names = "--requests-per-second",
      paramLabel = "N",
      description = "Of each token; 0: no limit.")
  private int requestsPerSecond;

  @Option(
      names = "--key-store",
      paramLabel = "FILE",
      description = "For HTTPS, as keytool makes it; its password is the environment's " + PASSWORD)
  private @Nullable Path keyStore;

  @Option(names = "--most-body-bytes", paramLabel = "N", description = "Of a request.")
  private int mostBodyBytes = ServerSettings.LOCAL.mostBodyBytes();

  @Option(
      names = "--most-sessions",
      paramLabel = "N",
      description = "Of each model that requests may open; 0: no limit.")
  private int mostSessions = ServerSettings.LOCAL.mostSessions();

  @Option(
      names = "--most-symbols",
      paramLabel = "N",
      description = "That a stream of text may write.")
  private int mostSymbols = ServerSettings.LOCAL.mostSymbols();

  @Option(
      names = "--slow-seconds",
      paramLabel = "N",
      description = "In which a request must have come.")
  private int slowSeconds = ServerSettings.LOCAL.slowSeconds();

  @Option(
      names = "--stream-seconds",
      paramLabel = "N",
      description = "In which an answer must have been taken.")
  private int streamSeconds = ServerSettings.LOCAL.streamSeconds();

  @Option(
      names = "--drain-seconds",
      paramLabel = "N",
      description = "After which it ends on SIGTERM whatever is unanswered.")
  private int drainSeconds = 30;

  @Option(
      names = "--idle-seconds",
      paramLabel = "N",
      description = {
        "After which a session that nobody calls for leaves memory: for the store, or for good",
        "where there is none; 0: never."
      })
  private int idleSeconds;

  @Option(
      names = "--store",
      paramLabel = "FOLDER",
      description = "Where idle sessions go, and all at the end; the next process continues them.")
  private @Nullable Path store;

  @Option(names = "--largest-batch", paramLabel = "N", description = "Sessions per step.")
  private int largestBatch = Batching.ADAPTIVE.largest();

  @Option(
      names = "--longest-wait-micros",
      paramLabel = "N",
      description = "For which a batch that is not full waits for more.")
  private long longestWaitMicros = Batching.ADAPTIVE.longestWaitMicros();

  @Option(
      names = "--most-waiting",
      paramLabel = "N",
      description = "Requests that wait; a further one is told to come later.")
  private int mostWaiting = Batching.ADAPTIVE.mostWaiting();

  @Option(
      names = "--allow-loading",
      description =
          "Lets clients load models again and unload them, by /v2/repository/models/NAME/load.")
  private boolean isLoading;

  @Option(
      names = "--independent",
      description =
          "Says that no column of a batch depends on the others, where a graph of ONNX does not tell.")
  private boolean independent;

  @Mixin private ModelOptions options = new ModelOptions();

  @Mixin private DeviceOptions devices = new DeviceOptions();

  @Spec private CommandSpec spec;

  ServeCommand() {}

  @Override
  public Integer call() throws Exception {
    PrintWriter err = spec.commandLine().getErr();
    ServerSettings settings = settings(System.getenv());
    Batching batching = new Batching(largestBatch, longestWaitMicros, mostWaiting);
    boolean isShared = !settings.address().getAddress().isLoopbackAddress();
    if (isShared && settings.tokens().isEmpty()) {
      err.println("recur: anyone who reaches %s is served; --tokens asks for one".formatted(host));
    }
    try (Device device = devices.open();
        ServedFiles files =
            new ServedFiles(
                device,
                file -> Servable.load(file, device, options, independent),
                batching,
                idleSeconds,
                store)) {
      models.forEach(files::add);
      files.load();
      try (Server server = opened(settings, files);
          Ending ending = new Ending(server, files, drainSeconds, err)) {
        PrintWriter out = spec.commandLine().getOut();
        out.println("serving at " + server.uri());
        out.flush();
        ending.await();
      }
      return 0;
    }
  }

  private Server opened(ServerSettings settings, ServedFiles files) throws IOException {
    return isLoading
        ? Server.open(settings, files, files.models())
        : Server.open(settings, files.models());
  }

  private ServerSettings settings(Map<String, String> environment)
      throws IOException, GeneralSecurityException {
    check();
    ServerSettings settings =
        ServerSettings.LOCAL
            .withAddress(new InetSocketAddress(InetAddress.getByName(host), port))
            .withRequestsPerSecond(requestsPerSecond)
            .withMost(mostBodyBytes, mostSessions, mostSymbols)
            .withTimes(slowSeconds, streamSeconds);
    if (tokens != null) {
      List<String> lines = Files.readAllLines(tokens).stream().map(String::strip).toList();
      String[] all = lines.stream().filter(line -> !line.isEmpty()).toArray(String[]::new);
      if (all.length == 0) {
        throw new IllegalArgumentException(tokens + ": it has no token; need one per line");
      }
      settings = settings.withTokens(all);
    } else if (environment.get(TOKEN) != null) {
      settings = settings.withTokens(environment.get(TOKEN));
    }
    if (keyStore != null) {
      String password = environment.get(PASSWORD);
      if (password == null) {
        throw new IllegalArgumentException(
            "%s: its password is not there; set %s".formatted(keyStore, PASSWORD));
      }
      settings = settings.withKeyStore(keyStore, password.toCharArray());
    }
    return settings;
  }

  private void check() {
    boolean isPort = port >= 0 && port < 1 << 16;
    if (!isPort || drainSeconds < 0 || idleSeconds < 0) {
      throw new ParameterException(
          spec.commandLine(),
          "--port=%d, --drain-seconds=%d, --idle-seconds=%d; need a port up to 65535, and seconds of 0 or more"
              .formatted(port, drainSeconds, idleSeconds));
    }
    if (store != null && idleSeconds == 0) {
      throw new ParameterException(
          spec.commandLine(), "--store: say with --idle-seconds when sessions go there");
    }
  }
}
