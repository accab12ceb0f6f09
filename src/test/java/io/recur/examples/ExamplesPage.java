package io.recur.examples;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Fills the blocks of {@code docs/examples.md} with the lines of the programs. A comment before a
 * block names a program and its methods: {@code <!-- Forecast: learn, forecast -->}.
 */
final class ExamplesPage {
  static final Path PAGE = Path.of("docs/examples.md");
  private static final Path PROGRAMS = Path.of("src/test/java/io/recur/examples");
  private static final Pattern BLOCK =
      Pattern.compile("(<!-- (\\w+): ([\\w, ]+) -->\n```java\n).*?(?=```\n)", Pattern.DOTALL);

  private ExamplesPage() {}

  public static void main(String[] arguments) throws IOException {
    Files.writeString(PAGE, filled(Files.readString(PAGE)));
  }

  /** Programs are the classes that can be run, but this one. */
  static Stream<String> programs() throws IOException {
    try (Stream<Path> files = Files.list(PROGRAMS)) {
      return files
          .map(file -> file.getFileName().toString().replace(".java", ""))
          .filter(name -> !name.equals("ExamplesPage") && !name.endsWith("Test"))
          .sorted()
          .toList()
          .stream();
    }
  }

  static Path source(String program) {
    return PROGRAMS.resolve(program + ".java");
  }

  /** {@return the page with the lines that the programs have now} */
  static String filled(String page) throws IOException {
    Matcher blocks = BLOCK.matcher(page);
    StringBuilder filled = new StringBuilder();
    while (blocks.find()) {
      String source = Files.readString(source(blocks.group(2)));
      StringBuilder methods = new StringBuilder();
      for (String name : blocks.group(3).split(", ")) {
        methods.append(methods.isEmpty() ? "" : "\n").append(method(source, name));
      }
      blocks.appendReplacement(filled, Matcher.quoteReplacement(blocks.group(1) + methods));
    }
    return blocks.appendTail(filled).toString();
  }

  /** The lines of a method with its Javadoc. */
  private static String method(String source, String name) {
    Pattern method =
        Pattern.compile(
            "(?:^  /\\*\\*(?:(?!\\*/).)*\\*/\n)?^  \\w[^(\n]* " + name + "\\(.*?\n  }\n",
            Pattern.DOTALL | Pattern.MULTILINE);
    Matcher found = method.matcher(source);
    if (!found.find()) {
      throw new IllegalStateException(PAGE + " names " + name + ", which the program has not");
    }
    return found.group().replaceAll("(?m)^  ", "");
  }
}
