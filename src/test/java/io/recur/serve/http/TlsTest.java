package io.recur.serve.http;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.recur.serve.Batching;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Arrays;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** HTTPS with a key store that keytool makes here. */
class TlsTest extends ServedSessions {
  private static final String PASSWORD = "changed-it";

  @TempDir private Path folder;

  private Path keyStore() throws IOException, InterruptedException {
    Path path = folder.resolve("keys.p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-keyalg",
                "EC",
                "-alias",
                "server",
                "-dname",
                "CN=localhost",
                "-ext",
                "SAN=ip:127.0.0.1,ip:0:0:0:0:0:0:0:1,dns:localhost",
                "-storetype",
                "PKCS12",
                "-storepass",
                PASSWORD,
                "-keystore",
                path.toString())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("keytool").toFile())
            .start();
    assertEquals(0, keytool.waitFor(), Files.readString(folder.resolve("keytool")));
    return path;
  }

  private static SSLContext trusting(Path path) throws Exception {
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(path)) {
      keys.load(in, PASSWORD.toCharArray());
    }
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    trusted.setCertificateEntry("server", keys.getCertificate("server"));
    TrustManagerFactory its =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    its.init(trusted);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, its.getTrustManagers(), null);
    return context;
  }

  @Test
  void aKeyStoreMakesItHttps() throws Exception {
    Path keys = keyStore();
    gate.open();
    serve(
        ServerSettings.LOCAL.withPort(0).withKeyStore(keys, PASSWORD.toCharArray()),
        Batching.ADAPTIVE);
    assertEquals("https", server.uri().getScheme());
    try (HttpClient trusting = HttpClient.newBuilder().sslContext(trusting(keys)).build()) {
      float[][] expected = alone(x(1, 0), x(1, 1), x(1, 2));
      for (int t = 0; t < 3; t++) {
        String body = body(sequence(1, t == 0, t == 2), "[1, 3]", Arrays.toString(x(1, t)));
        HttpResponse<byte[]> response =
            trusting.send(
                to("/v2/models/m/infer").POST(BodyPublishers.ofString(body)).build(),
                BodyHandlers.ofByteArray());
        assertArrayEquals(
            expected[t],
            floats(new Answer(response.statusCode(), response.headers().map(), response.body())));
      }
    }
    assertThrows(
        SSLHandshakeException.class,
        () -> client.send(to("/v2").build(), BodyHandlers.discarding()),
        "a client that does not know the key");
  }

  @Test
  void aWrongPasswordIsRefused() throws Exception {
    Path keys = keyStore();
    assertThrows(
        IOException.class, () -> ServerSettings.LOCAL.withKeyStore(keys, "other".toCharArray()));
  }
}
