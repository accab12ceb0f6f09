/**
 * Recurrent neural networks on native memory and native kernels.
 *
 * <p>Start with {@link io.recur.nn.Layers}, {@link io.recur.nn.Recur} and {@link
 * io.recur.grad.Tape}. Run with {@code --enable-native-access=io.recur}, or {@code ALL-UNNAMED}
 * from the class path.
 */
module io.recur {
  requires static org.jspecify;
  requires static info.picocli;
  requires static me.tongfei.progressbar;
  requires static org.knowm.xchart;
  requires static java.desktop;
  requires static jdk.httpserver;
  requires static io.jhdf;
  requires static kafka.clients;
  requires static kafka.streams;
  requires static rocksdbjni;

  exports io.recur.device;
  exports io.recur.grad;
  exports io.recur.nn;
  exports io.recur.nn.cells;
  exports io.recur.io;
  exports io.recur.io.keras;
  exports io.recur.io.onnx;
  exports io.recur.serve;
  exports io.recur.serve.http;
  exports io.recur.serve.kafka;
  exports io.recur.serve.rocksdb;
  exports io.recur.train;

  opens io.recur.cli to
      info.picocli;
}
