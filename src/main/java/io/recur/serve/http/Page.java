package io.recur.serve.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;

/**
 * The page at {@code /}: one file that loads nothing. A browser runs the script and the style of
 * this file alone, by their digests.
 */
final class Page {
  private final byte[] html;
  private final String policy;

  Page() {
    try (InputStream in = Page.class.getResourceAsStream("page.html")) {
      html = in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    String text = new String(html, StandardCharsets.UTF_8);
    policy =
        """
        default-src 'none'; script-src '%s'; style-src '%s'; connect-src 'self'; \
        base-uri 'none'; form-action 'none'; frame-ancestors 'none'"""
            .formatted(digest(text, "script"), digest(text, "style"));
  }

  private static String digest(String html, String element) {
    String start = "<" + element + ">";
    int from = html.indexOf(start) + start.length();
    String inner = html.substring(from, html.indexOf("</" + element + ">", from));
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(inner.getBytes(StandardCharsets.UTF_8));
      return "sha256-" + Base64.getEncoder().encodeToString(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // each Java has it
    }
  }

  Reply reply() {
    return Reply.of("text/html; charset=utf-8", html)
        .with("Content-Security-Policy", policy)
        .with("Referrer-Policy", "no-referrer");
  }
}
