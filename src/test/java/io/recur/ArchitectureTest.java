package io.recur;

import static com.tngtech.archunit.lang.conditions.ArchConditions.be;
import static com.tngtech.archunit.lang.conditions.ArchConditions.not;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import io.recur.bindings.Failed;
import io.recur.device.Device;
import io.recur.device.Devices;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.ServiceLoader;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Holds which package may import which, and what names may not say. */
@Tag(Devices.CPU)
class ArchitectureTest {
  /** A room may import only the rooms to its left. */
  private static final List<String> ROOMS =
      List.of("bindings", "device", "grad", "nn", "io", "train", "cli");

  private static final String BINDINGS = "io.recur.bindings..";
  private static final String CLI = "io.recur.cli..";

  /** Words that say nothing about what a thing is. */
  private static final List<String> EMPTY_WORDS =
      List.of("util", "utils", "common", "impl", "manager", "factory", "provider");

  private static JavaClasses main;

  @BeforeAll
  static void read() throws URISyntaxException {
    var location = Device.class.getProtectionDomain().getCodeSource().getLocation();
    main = new ClassFileImporter().importPath(Path.of(location.toURI()));
    assertFalse(main.isEmpty());
  }

  private static String room(String name) {
    return "io.recur." + name + "..";
  }

  @Test
  void everyClassIsInARoom() {
    String[] rooms = ROOMS.stream().map(ArchitectureTest::room).toArray(String[]::new);
    classes()
        .that()
        .doNotHaveSimpleName("module-info")
        .should()
        .resideInAnyPackage(rooms)
        .check(main);
  }

  @Test
  void importsRunOneWay() {
    for (int i = 0; i < ROOMS.size() - 1; i++) {
      String[] later =
          ROOMS.subList(i + 1, ROOMS.size()).stream()
              .map(ArchitectureTest::room)
              .toArray(String[]::new);
      noClasses()
          .that()
          .resideInAPackage(room(ROOMS.get(i)))
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(later)
          .check(main);
    }
  }

  @Test
  void deviceAloneUsesTheBindings() {
    noClasses()
        .that()
        .resideOutsideOfPackages(BINDINGS, "io.recur.device..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage(BINDINGS)
        .check(main);
  }

  /**
   * jextract wraps an exception in an AssertionError; {@link Failed} says why the bindings do not.
   */
  @Test
  void noBindingHidesWhatACallThrows() {
    noClasses()
        .that()
        .resideInAPackage("io.recur.bindings.*")
        .should()
        .callConstructor(AssertionError.class, String.class, Throwable.class)
        .check(main);
    classes()
        .that()
        .resideInAPackage("io.recur.bindings.*")
        .and()
        .haveSimpleNameEndingWith("_h")
        .should()
        .dependOnClassesThat()
        .areAssignableTo(Failed.class)
        .check(main);
  }

  @Test
  void theCommandLinesLibrariesStayInCli() {
    noClasses()
        .that()
        .resideOutsideOfPackage(CLI)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "picocli..", "me.tongfei..", "org.knowm..", "java.awt..", "javax.swing..")
        .check(main);
  }

  @Test
  void noNameIsEmptyOfMeaning() {
    DescribedPredicate<JavaClass> emptyName =
        DescribedPredicate.describe(
            "an empty word in their name",
            c -> words(c.getSimpleName()).anyMatch(EMPTY_WORDS::contains));
    noClasses().that().resideOutsideOfPackage(BINDINGS).should(be(emptyName)).check(main);
    for (String word : EMPTY_WORDS) {
      noClasses().should().resideInAPackage(".." + word + "..").check(main);
    }
  }

  /** {@return the words of a camel-case name, in lower case} */
  private static Stream<String> words(String name) {
    return Arrays.stream(name.split("(?<=[a-z0-9])(?=[A-Z])|_"))
        .map(word -> word.toLowerCase(Locale.ROOT));
  }

  @Test
  void staticsAreFinal() {
    fields()
        .that()
        .areStatic()
        .and()
        .areDeclaredInClassesThat()
        .resideOutsideOfPackage(BINDINGS)
        .should()
        .beFinal()
        .check(main);
  }

  @Test
  void staticsHoldNoArraysAndNoVariables() {
    DescribedPredicate<JavaField> mutable =
        DescribedPredicate.describe(
            "mutable",
            field ->
                !field.getModifiers().contains(JavaModifier.SYNTHETIC)
                    && (field.getRawType().isArray()
                        || field.getRawType().getPackageName().startsWith("java.util.concurrent")
                        || field.getRawType().isAssignableTo(StringBuilder.class)
                        || field.getRawType().isAssignableTo(Random.class)));
    fields()
        .that()
        .areStatic()
        .and()
        .areDeclaredInClassesThat()
        .resideOutsideOfPackage(BINDINGS)
        .should(not(be(mutable)))
        .check(main);
  }

  @Test
  void theLibraryPrintsNothingAndLogsNothing() {
    noClasses()
        .that()
        .resideOutsideOfPackages(CLI, BINDINGS) // jextract's own tracing prints
        .should()
        .accessField(System.class, "out")
        .orShould()
        .accessField(System.class, "err")
        .check(main);
    noClasses().should().dependOnClassesThat().resideInAPackage("java.util.logging..").check(main);
  }

  @Test
  void theLibraryEndsNoJvm() {
    noClasses()
        .that()
        .resideOutsideOfPackage(CLI)
        .should()
        .callMethod(System.class, "exit", int.class)
        .check(main);
  }

  @Test
  void nothingIsLookedUpAtRunTime() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .areAssignableTo(ServiceLoader.class)
        .orShould()
        .dependOnClassesThat()
        .resideInAnyPackage("org.bytedeco..", "sun.misc..", "jdk.internal..")
        .check(main);
  }
}
