package io.recur.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.serve.kafka.FloatsSerde;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.TopologyTestDriver;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The forecasts of several meters, hour after hour, from a model that has learned. */
@Tag(Devices.CPU)
class LiveForecastTest {
  private static final int METERS = 3;

  @AutoClose private final Device device = Device.cpu();
  @TempDir private Path folder;

  @Test
  void theIntervalsHoldAndAreCloserThanTheHourBefore() {
    Properties settings = new Properties();
    settings.put("state.dir", folder.toString());
    float[][][] x = new float[METERS][][];
    for (int meter = 0; meter < METERS; meter++) {
      x[meter] = Forecast.demand(90 + meter);
    }
    double inside = 0;
    double error = 0;
    double ofHourBefore = 0;
    int count = 0;
    try (TopologyTestDriver driver =
        new TopologyTestDriver(LiveForecast.topology(Forecast.learn(device), device), settings)) {
      var floats = new FloatsSerde();
      var hours =
          driver.createInputTopic("hours", Serdes.String().serializer(), floats.serializer());
      var forecasts =
          driver.createOutputTopic(
              "forecasts", Serdes.String().deserializer(), floats.deserializer());
      for (int t = 0; t + 1 < x[0].length; t++) {
        for (int meter = 0; meter < METERS; meter++) {
          hours.pipeInput("meter-" + meter, x[meter][t]);
        }
        driver.advanceWallClockTime(Duration.ofSeconds(1));
        for (int meter = 0; meter < METERS; meter++) {
          float[] interval = forecasts.readValue();
          float truth = x[meter][t + 1][0];
          if (t > Forecast.WEEK) {
            inside += interval[0] <= truth && truth <= interval[1] ? 1 : 0;
            error += Math.abs((interval[0] + interval[1]) / 2 - truth);
            ofHourBefore += Math.abs(x[meter][t][0] - truth);
            count++;
          }
        }
      }
    }
    assertEquals(0.9, inside / count, 0.06);
    assertTrue(error < 0.8 * ofHourBefore, error + " against the hour before's " + ofHourBefore);
  }
}
