package io.recur.examples;

import static io.recur.nn.Layers.*;
import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.nn.Chain;
import java.io.IOException;
import java.nio.file.Files;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each program learns what it says: it is better than a simple rule by far. The limits leave room
 * for other bits of other kernels and for the names of other JDKs.
 */
@Tag(Devices.CPU)
class LearningTest {
  @AutoClose private final Device device = Device.cpu();

  @Test
  void theForecastIsCloserThanYesterdayAndItsIntervalsHold() {
    Chain model = Forecast.learn(device);
    float[][] x = Forecast.demand(99);
    int first = 3 * Forecast.WEEK;
    double error = 0;
    double ofYesterday = 0;
    double inside = 0;
    for (int now = first; now < x.length; now += 24) {
      float[][] day = Forecast.forecast(model, device, Arrays.copyOf(x, now));
      for (int h = 0; h < 24; h++) {
        float truth = x[now + h][0];
        error += Math.abs(day[h][Forecast.PATHS / 2] - truth);
        ofYesterday += Math.abs(x[now + h - 24][0] - truth);
        float low = day[h][Forecast.PATHS / 20];
        float high = day[h][Forecast.PATHS * 19 / 20];
        inside += low <= truth && truth <= high ? 1 : 0;
      }
    }
    assertTrue(error < 0.8 * ofYesterday, error + " against yesterday's " + ofYesterday);
    assertEquals(0.9, inside / (x.length - first), 0.06); // 49 days, hours of a day go together
  }

  @Test
  void aLanguageIsToldByMoreThanTheLastLetter() {
    Chain model =
        chain(embedding(Languages.LETTERS, 24), lstm(24, 64), dense(64, 8)).on(device, 42);
    double accuracy = Languages.learn(model, device);
    double rule = ofLastLetter(Languages.names(false), Languages.names(true));
    assertTrue(accuracy > 0.75 && rule < 0.45, accuracy + " against the last letter's " + rule);
  }

  /** The share told by the language that has most names with the same last letter. */
  private static double ofLastLetter(List<Languages.Name> train, List<Languages.Name> test) {
    Map<Integer, int[]> counts = new HashMap<>();
    for (Languages.Name name : train) {
      counts.computeIfAbsent(last(name), letter -> new int[8])[name.language()]++;
    }
    double right = 0;
    for (Languages.Name name : test) {
      int[] count = counts.getOrDefault(last(name), new int[8]);
      int most = Arrays.stream(count).max().orElseThrow();
      right += most > 0 && count[name.language()] == most ? 1 : 0;
    }
    return right / test.size();
  }

  private static int last(Languages.Name name) {
    return name.letters()[name.letters().length - 1];
  }

  @Test
  void aCharacterIsForetoldByMoreThanTheOneBefore() throws IOException {
    int chars = ClassNames.CHARS;
    Chain model = chain(lstm(chars, 96), dense(96, chars)).on(device, 42);
    int[] text = ClassNames.text();
    double perplexity = ClassNames.learn(model, device, text);
    double rule = ofPairs(text, chars);
    assertTrue(perplexity < 0.5 * rule, perplexity + " against that of pairs, " + rule);
    List<String> invented = ClassNames.invent(model, 20);
    assertTrue(invented.stream().allMatch(name -> name.matches("[A-Za-z]+")), invented.toString());
    assertEquals(invented, ClassNames.invent(model, 20));
  }

  /** The perplexity of p(next | character) = (pairs + 1) / (characters + 128), less a tenth. */
  private static double ofPairs(int[] text, int chars) {
    double[][] counts = new double[chars][chars];
    Arrays.stream(counts).forEach(row -> Arrays.fill(row, 1));
    int split = text.length * 9 / 10;
    for (int i = 1; i < split; i++) {
      counts[text[i - 1]][text[i]]++;
    }
    double nats = 0;
    for (int i = split + 1; i < text.length; i++) {
      double[] row = counts[text[i - 1]];
      nats -= Math.log(row[text[i]] / Arrays.stream(row).sum());
    }
    return Math.exp(nats / (text.length - split - 1));
  }

  @Test
  void everyFaultScoresAboveEveryBeatThatIsNone() {
    Set<Integer> faults = Set.of(11, 23, 37, 53);
    float[][] readings = Anomalies.readings(99, faults);
    double[] scores = Anomalies.scores(Anomalies.learn(device), device, readings);
    double[] jumps = new double[scores.length];
    for (int t = 1; t < readings.length; t++) {
      int beat = t / Anomalies.BEAT;
      jumps[beat] = Math.max(jumps[beat], Math.abs(readings[t][0] - readings[t - 1][0]));
    }
    assertTrue(least(scores, faults) > 10 * most(scores, faults), Arrays.toString(scores));
    assertTrue(least(scores, faults) > Anomalies.ALARM && most(scores, faults) < Anomalies.ALARM);
    assertTrue(least(jumps, faults) < most(jumps, faults), "a jump from value to value tells too");
  }

  private static double least(double[] scores, Set<Integer> faults) {
    return faults.stream().mapToDouble(beat -> scores[beat]).min().orElseThrow();
  }

  private static double most(double[] scores, Set<Integer> faults) {
    double most = 0;
    for (int beat = 0; beat < scores.length; beat++) {
      most = faults.contains(beat) ? most : Math.max(most, scores[beat]);
    }
    return most;
  }

  @Test
  void aWordIsFoundByMoreThanTheLettersAround() throws IOException {
    Chain model =
        chain(embedding(Words.LETTERS, 16), bidirectional(lstm(16, 48), lstm(16, 48)), dense(96, 2))
            .on(device, 42);
    List<String> names = Words.names();
    double f1 = Words.learn(model, device, names);
    double rule = ofLetters(names);
    assertTrue(1 - f1 < 0.6 * (1 - rule), f1 + " against the rule's " + rule);
    assertEquals("byte array output stream", Words.split(model, device, "bytearrayoutputstream"));
  }

  /** The F1 of the tag that a letter between two others has most often. */
  private static double ofLetters(List<String> names) {
    Map<String, Integer> begins = new HashMap<>();
    int[] counts = new int[3]; // found, begins, said
    for (int i = names.size() - 1; i >= 0; i--) {
      String name = names.get(i);
      for (int t = 0; t < name.length(); t++) {
        String letters = (" " + name + " ").substring(t, t + 3).toLowerCase(Locale.ROOT);
        boolean begin = Character.isUpperCase(name.charAt(t));
        if (i >= names.size() / 5) {
          begins.merge(letters, begin ? 1 : -1, Integer::sum);
        } else {
          boolean said = begins.getOrDefault(letters, -1) > 0;
          counts[0] += said && begin ? 1 : 0;
          counts[1] += begin ? 1 : 0;
          counts[2] += said ? 1 : 0;
        }
      }
    }
    return 2.0 * counts[0] / (counts[1] + counts[2]);
  }

  @Test
  void aDateIsReadInEveryLanguage() {
    Dates dates = new Dates();
    dates.learn(device);
    List<Dates.Example> examples = Dates.examples(99, 100);
    long right =
        examples.stream().filter(e -> dates.translate(device, e.text()).equals(e.date())).count();
    Map<LocalDate, Long> days = // a date that is guessed is right as often as the commonest one
        examples.stream().collect(groupingBy(e -> LocalDate.parse(e.date()), counting()));
    assertTrue(right > 85 && Collections.max(days.values()) < 5, right + " of 100");
  }

  @ParameterizedTest
  @MethodSource("io.recur.examples.ExamplesPage#programs")
  void aProgramHas80LinesOfCodeAtMost(String program) throws IOException {
    long lines =
        Files.readAllLines(ExamplesPage.source(program)).stream()
            .filter(line -> !line.isBlank() && !line.strip().matches("(/\\*\\*|\\*|//).*"))
            .count();
    assertTrue(lines <= 80, program + ": " + lines);
  }

  @Test
  void theGuideShowsTheLinesOfThePrograms() throws IOException {
    String page = Files.readString(ExamplesPage.PAGE);
    assertEquals(
        ExamplesPage.filled(page), page, "run io.recur.examples.ExamplesPage and commit the page");
  }

  @ParameterizedTest
  @MethodSource("io.recur.examples.ExamplesPage#programs")
  void theGuideShowsEveryProgram(String program) throws IOException {
    String page = Files.readString(ExamplesPage.PAGE);
    assertTrue(page.contains("<!-- " + program + ": "), program);
    assertTrue(page.contains("examples/" + program + ".java)"), "a link to " + program);
  }
}
