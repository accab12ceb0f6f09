package io.recur.serve.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The metrics are in the text format of Prometheus, and count what was done. */
class MetricsTest extends ServedSessions {
  private static final Pattern COMMENT =
      Pattern.compile("# (HELP (\\w+) .+|TYPE (\\w+) (counter|gauge|histogram))");
  private static final Pattern SAMPLE =
      Pattern.compile("(\\w+)(\\{(\\w+=\"[^\"\\\\]*\",?)*})? (-?[0-9.eE+-]+)");

  @BeforeEach
  void begin() throws IOException {
    serve();
  }

  /**
   * The samples by name and labels; each line is one, or a comment that comes before its samples.
   */
  private Map<String, Double> samples() {
    Answer answer = get("/metrics");
    assertEquals("text/plain; version=0.0.4; charset=utf-8", answer.header("Content-Type"));
    Map<String, Double> samples = new HashMap<>();
    String typed = "";
    for (String line : answer.text().split("\n")) {
      Matcher comment = COMMENT.matcher(line);
      Matcher sample = SAMPLE.matcher(line);
      if (comment.matches()) {
        typed = comment.group(3) == null ? typed : comment.group(3);
      } else {
        assertTrue(sample.matches(), line);
        assertTrue(sample.group(1).startsWith(typed), line);
        String name = sample.group(1) + (sample.group(2) == null ? "" : sample.group(2));
        assertEquals(null, samples.put(name, Double.parseDouble(sample.group(4))), line);
      }
    }
    return samples;
  }

  private static double of(Map<String, Double> samples, String name) {
    return samples.get(name + "{model=\"m\",version=\"1\"}");
  }

  @Test
  void everythingIsCounted() {
    inferJson(sequence(1, true, false), x(1, 1));
    inferJson(sequence(1, false, false), x(1, 2));
    inferJson(sequence(2, true, false), x(1, 2));
    inferJson(sequence(3, false, false), x(1, 2)); // which is not open
    Map<String, Double> samples = samples();
    assertEquals(3, of(samples, "recur_steps_total"));
    assertEquals(2, of(samples, "recur_sessions"));
    assertEquals(0, of(samples, "recur_waiting"));
    assertEquals(1, of(samples, "recur_refused_total"));
    assertEquals(0, of(samples, "recur_rejected_total"));
    assertTrue(of(samples, "recur_table_bytes") > 0);
    assertEquals(3, samples.get("recur_http_requests_total{code=\"200\"}"));
    assertEquals(1, samples.get("recur_http_requests_total{code=\"404\"}"));
  }

  @Test
  void histogramsGrowUpToTheirCount() {
    for (int t = 0; t < 5; t++) {
      inferJson(sequence(1, t == 0, false), x(1, t));
    }
    Map<String, Double> samples = samples();
    for (String name : new String[] {"batch_size", "wait_seconds", "request_seconds"}) {
      String its = "recur_" + name;
      assertEquals(5, of(samples, its + "_count"), its);
      String all = its + "_bucket{model=\"m\",version=\"1\",le=\"+Inf\"}";
      assertEquals(5, samples.get(all), its);
      assertTrue(of(samples, its + "_sum") > 0 || name.equals("wait_seconds"), its);
      double last = 0;
      for (double bound : bounds(samples, its)) {
        double count =
            samples.get("%s_bucket{model=\"m\",version=\"1\",le=\"%s\"}".formatted(its, bound));
        assertTrue(count >= last && count <= 5, its);
        last = count;
      }
    }
    assertEquals(5, of(samples, "recur_batch_size_sum"));
  }

  private static double[] bounds(Map<String, Double> samples, String name) {
    return samples.keySet().stream()
        .filter(key -> key.startsWith(name + "_bucket") && !key.contains("Inf"))
        .mapToDouble(key -> Double.parseDouble(key.replaceFirst(".*le=\"(.*)\".*", "$1")))
        .sorted()
        .toArray();
  }
}
