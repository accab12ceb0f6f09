package io.recur.serve.http;

import io.recur.Thrown;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;

/** Settings that no server could have are refused where they are made. */
class ServerSettingsTest {
  private static void isRefused(Runnable made, String... words) {
    Thrown.says(IllegalArgumentException.class, made::run, words);
  }

  @Test
  void aPortIsWithinItsBounds() {
    isRefused(() -> ServerSettings.LOCAL.withPort(-1), "port=-1; need 0 to 65535");
    isRefused(() -> ServerSettings.LOCAL.withPort(65536), "port=65536; need 0 to 65535");
  }

  /** Without an address of its own a socket would listen on all of the machine. */
  @Test
  void aHostThatDoesNotExistIsRefused() {
    InetSocketAddress nowhere = InetSocketAddress.createUnresolved("nowhere.invalid", 8000);
    isRefused(() -> ServerSettings.LOCAL.withAddress(nowhere), "nowhere.invalid", "no such host");
  }
}
