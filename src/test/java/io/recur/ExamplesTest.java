package io.recur;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recur.device.Devices;
import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every public top-level type but the exceptions, which users only catch, has an example in its
 * Javadoc. Every example compiles, those of the guides included.
 */
@Tag(Devices.CPU)
class ExamplesTest {
  private static final Pattern EXAMPLE =
      Pattern.compile("<pre>\\{@code\n(.*?)\\* }</pre>", Pattern.DOTALL);
  private static final Pattern GUIDE = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
  private static final Pattern PUBLIC =
      Pattern.compile(
          "^public (?:abstract |final |sealed |non-sealed )*(class|interface|record|enum)",
          Pattern.MULTILINE);

  /** Shows lines of programs of the tests, which compile as a whole; LearningTest compares them. */
  private static final String PROGRAMS = "examples.md";

  /** Names that examples use without declaring them; a local of the same name hides one. */
  private static final String NAMES =
      """
      package examples;
      import io.recur.device.*;
      import io.recur.device.kernels.*;
      import io.recur.compile.*;
      import io.recur.grad.*;
      import io.recur.io.*;
      import io.recur.io.keras.*;
      import io.recur.io.onnx.*;
      import io.recur.nn.*;
      import io.recur.nn.cells.*;
      import io.recur.serve.*;
      import io.recur.serve.http.*;
      import io.recur.serve.kafka.*;
      import io.recur.serve.rocksdb.*;
      import io.recur.train.*;
      import org.apache.kafka.streams.KafkaStreams;
      import java.io.*;
      import java.util.*;
      import java.lang.foreign.*;
      class Names {
        Device device, cpu; KernelDevice kernels; Tape tape; Chain model; Optimiser optimiser, adam; Streams streams;
        Tensor x, y, h, loss; Parameter W, Wxh, Whh, b, state0, parameter; Path path;
        Parameters parameters; List<Tensor> sequence, steps; int[] text, indexes;
        int classes, batch, time; long step; float[][] first, second;
        Safetensors file; CellProgram program; ProductSchedule schedule; Buffer states;
        Sessions sessions; Chain retrained, larger; MemorySegment table;
        KeyedSteps<String, float[], float[]> detector; KafkaStreams application;
        Routes routes; HttpCall call, request; OutputStream body; ServedModel forecast; Servlet response;
        interface Servlet {
          void setStatus(int status);
          void setHeader(String name, String value);
          OutputStream getOutputStream() throws IOException;
        }
      }
      """;

  private static final String IMPORTS =
      """
      package examples;
      import static io.recur.grad.CrossEntropy.crossEntropy;
      import static io.recur.nn.Layers.*;
      import io.recur.device.*;
      import io.recur.device.kernels.*;
      import io.recur.compile.*;
      import io.recur.grad.*;
      import io.recur.io.*;
      import io.recur.io.keras.*;
      import io.recur.io.onnx.*;
      import io.recur.nn.*;
      import io.recur.nn.cells.*;
      import io.recur.serve.*;
      import io.recur.serve.http.*;
      import io.recur.serve.kafka.*;
      import io.recur.serve.rocksdb.*;
      import io.recur.train.*;
      import org.apache.kafka.common.serialization.*;
      import org.apache.kafka.streams.*;
      import org.apache.kafka.streams.kstream.Consumed;
      import org.apache.kafka.streams.kstream.Produced;
      import org.apache.kafka.streams.processor.PunctuationType;
      import org.apache.kafka.streams.state.QueryableStoreTypes;
      import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
      import org.apache.kafka.streams.state.Stores;
      import java.io.*;
      import java.nio.file.Path;
      import java.time.Duration;
      import java.util.*;
      import java.util.concurrent.*;
      import java.net.URI;
      import java.lang.foreign.*;
      """;

  private static List<Path> sources() throws IOException {
    List<Path> sources = new ArrayList<>();
    for (String room :
        List.of(
            "device",
            "device/kernels",
            "grad",
            "compile",
            "nn",
            "nn/cells",
            "io",
            "io/keras",
            "io/onnx",
            "serve",
            "serve/http",
            "serve/kafka",
            "serve/rocksdb",
            "train")) {
      try (Stream<Path> files = Files.list(Path.of("src/main/java/io/recur", room))) {
        sources.addAll(files.filter(Files::isRegularFile).sorted().toList());
      }
    }
    return sources;
  }

  @Test
  void everyPublicTypeHasAnExample() throws IOException {
    for (Path source : sources()) {
      String code = Files.readString(source);
      if (PUBLIC.matcher(code).find() && !source.toString().endsWith("Exception.java")) {
        assertTrue(EXAMPLE.matcher(code).find(), source + " has no example");
      }
    }
  }

  @Test
  void everyExampleCompiles(@TempDir Path out) throws IOException {
    List<JavaFileObject> units = new ArrayList<>();
    units.add(
        unit(
            "Names",
            NAMES.replace(
                "import java.util.*;", "import java.nio.file.Path;\nimport java.util.*;")));
    for (Path source : sources()) {
      Matcher found = EXAMPLE.matcher(Files.readString(source));
      for (int i = 0; found.find(); i++) {
        String name = source.getFileName().toString().replace(".java", "") + "Example" + i;
        units.add(unit(name, wrapped(name, found.group(1).replaceAll("(?m)^ *\\* ?", ""))));
      }
    }
    try (Stream<Path> guides = Files.list(Path.of("docs"))) {
      for (Path guide : guides.filter(page -> !page.endsWith(PROGRAMS)).sorted().toList()) {
        Matcher found = GUIDE.matcher(Files.readString(guide));
        for (int i = 0; found.find(); i++) {
          String name = guide.getFileName().toString().replace(".md", "") + "Guide" + i;
          units.add(unit(name, wrapped(name, found.group(1))));
        }
      }
    }
    StringWriter messages = new StringWriter();
    boolean compiled =
        ToolProvider.getSystemJavaCompiler()
            .getTask(
                messages,
                null,
                null,
                List.of(
                    "-d",
                    out.toString(),
                    "-cp",
                    System.getProperty("java.class.path"),
                    "-proc:none"),
                null,
                units)
            .call();
    assertEquals("", messages.toString());
    assertTrue(compiled && units.size() > 20, units.size() + " examples");
  }

  private static String wrapped(String name, String example) {
    String body = example.replace("…", "");
    StringBuilder imports = new StringBuilder(IMPORTS);
    StringBuilder statements = new StringBuilder();
    body.lines()
        .forEach(
            line -> (line.startsWith("import ") ? imports : statements).append(line).append('\n'));
    return imports
        + "class "
        + name
        + " extends Names {\nvoid run() throws Exception {\n"
        + statements
        + "}\n}\n";
  }

  private static JavaFileObject unit(String name, String code) {
    return new SimpleJavaFileObject(
        URI.create("string:///examples/" + name + ".java"), JavaFileObject.Kind.SOURCE) {
      @Override
      public CharSequence getCharContent(boolean ignoreEncodingErrors) {
        return code;
      }
    };
  }
}
