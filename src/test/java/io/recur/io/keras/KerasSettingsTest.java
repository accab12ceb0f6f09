package io.recur.io.keras;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import java.io.IOException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A setting that changes an answer is honoured, or refused by its name. */
@Tag(Devices.CPU)
class KerasSettingsTest {
  /** What a model with another configuration is refused with. */
  private static String refusal(String file, String from, String to) throws IOException {
    KerasFile keras = changed(file, from, to);
    String message = assertThrows(IllegalArgumentException.class, keras::model).getMessage();
    assertTrue(message.startsWith("keras: " + KerasFiles.file(file)), message);
    return message;
  }

  private static KerasFile changed(String file, String from, String to) throws IOException {
    String config = KerasFiles.config(file);
    int at = config.indexOf(from);
    assertTrue(at >= 0, from + " is not in " + config);
    String other = config.substring(0, at) + to + config.substring(at + from.length());
    return KerasFile.read(KerasFiles.file(file), other);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "grus.keras|'return_state': false|'return_state': true|layer 'gru' (GRU): return_state=true; need false in a Sequential",
        "grus.keras|'activation': 'tanh'|'activation': 'gelu'|activation='gelu'; need one of [elu",
        "grus.keras|'activation': 'tanh'|'activation': 'leaky_relu'|activation='leaky_relu'",
        "grus.keras|'recurrent_activation': 'sigmoid'|'recurrent_activation': 'mine>x'|recurrent_activation='mine>x'",
        "grus.keras|'units': 4|'units': 4, 'sharpness': 2|this setting is not known here",
        "grus.keras|'units': 4|'units': -4|units=-4; need a whole number",
        "grus.keras|'units': 4|'units': 400000000|units=400000000; need matrices",
        "grus.keras|'unroll': false|'time_major': true|'time_major'=true",
        "grus.keras|'name': 'float32'|'name': 'int8_from_float32'|need a type of floats",
        "grus.keras|'use_bias': true|'use_bias': 1|use_bias=1; need true or false",
        "grus.keras|'class_name': 'GRU'|'class_name': 'ConvLSTM1D'|layer 'gru' (ConvLSTM1D): this class is not imported",
        "grus.keras|'class_name': 'Sequential'|'class_name': 'Mine'|neither Sequential nor Functional",
        "lstms.keras|'merge_mode': 'sum'|'merge_mode': 'mul'|merge_mode='mul'; need concat, sum or ave",
        "lstms.keras|'merge_mode': 'sum'|'merge_mode': null|merge_mode=null",
        "lstms.keras|'class_name': 'LSTMCell'|'class_name': 'MyCell'|need LSTM, GRU or SimpleRNN",
        "lstms.keras|'return_sequences': true, 'return_state': false, 'go_backwards': true|'return_sequences': false, 'return_state': false, 'go_backwards': true|need one return_sequences in both directions",
        "convs.keras|'axis': -1|'axis': 1|axis=1; need the last one",
        "convs.keras|'padding': 'causal'|'padding': 'same'|padding='same'; need valid, causal, or same with",
        "convs.keras|'data_format': 'channels_last'|'data_format': 'channels_first'|data_format",
        "convs.keras|'rms_scaling': false|'rms_scaling': true|rms_scaling",
        "convs.keras|'renorm': false|'renorm': true|renorm",
        "convs.keras|'max_value': null|'max_value': 3.0|max_value=3.0; need none or 6",
        "text.keras|'class_name': 'Dense'|'class_name': 'LSTM'|it is in a TimeDistributed",
        "last.keras|'mask_value': -1.0|'mask_value': -2.0|layer 'not_equal' (NotEqual): it computes no mask",
        "last.keras|'axis': -1|'axis': 0|layer 'any' (Any): it computes no mask",
        "marked.keras|'mask_zero': true|'mask_zero': false|it computes no mask",
        "last.keras|['masking', 0, 0]|['masking', 0, 1]|it reads 'masking.0'; there are",
        "last.keras|['masking', 0, 0]|['masking', 0, 99]|need [layer, call, output]",
        "last.keras|'class_name': 'Functional'|'class_name': 'Functional', 'class_name': 'x'|stands twice",
      })
  void whatCannotBeHonouredIsRefusedByName(String file, String from, String to, String fact)
      throws IOException {
    String message = refusal(file, from.replace('\'', '"'), to.replace('\'', '"'));
    assertTrue(message.contains(fact.replace('\'', '"')), message);
  }

  @Test
  void missingAndSurplusTensorsAreListedTogether() throws IOException {
    KerasFile keras = changed("grus.keras", "\"use_bias\": true", "\"use_bias\": false");
    String surplus = assertThrows(IllegalArgumentException.class, keras::model).getMessage();
    assertTrue(surplus.contains("\"layers/gru/cell/vars/2\" is surplus"), surplus);
    assertTrue(surplus.contains("expected are \"layers/gru/cell/vars/0\""), surplus);
    String wider = refusal("grus.keras", "\"units\": 4", "\"units\": 5");
    for (String fact :
        new String[] {
          "\"layers/gru/cell/vars/0\" (kernel)=[3, 12], need [3, 15]",
          "\"layers/gru/cell/vars/1\" (recurrent_kernel)=[4, 12], need [5, 15]",
          "\"layers/gru/cell/vars/2\" (bias)=[12], need [15]",
          "\"layers/gru_1/cell/vars/0\" (kernel)=[4, 12], need [5, 12]"
        }) {
      assertTrue(wider.contains(fact), wider);
    }
    assertEquals(0, keras.report().size());
  }

  @Test
  void aStatefulLayerIsARecur() throws IOException {
    KerasFile keras = changed("grus.keras", "\"stateful\": false", "\"stateful\": true");
    keras.model();
    assertTrue(
        keras.report().contains("\"gru\" (GRU) stateful -> Recur keeps its state until reset()"),
        keras.report().toString());
  }

  @Test
  void whatIsNoJsonIsRefusedWithItsPlace() throws IOException {
    KerasFile keras = KerasFile.read(KerasFiles.file("text.weights.h5"), "{\"class_name\": tru}");
    String message = assertThrows(IllegalArgumentException.class, keras::model).getMessage();
    assertTrue(
        message.contains("its configuration: JSON: position 15 of 19: need a value"), message);
  }
}
