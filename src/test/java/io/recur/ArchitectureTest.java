package io.recur;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.equivalentTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.conditions.ArchConditions.be;
import static com.tngtech.archunit.lang.conditions.ArchConditions.not;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import io.recur.bindings.Failed;
import io.recur.device.Device;
import io.recur.device.Devices;
import io.recur.device.Dimension;
import io.recur.device.Elementwise;
import io.recur.device.cpu.CpuDevice;
import io.recur.device.cuda.CudaDevice;
import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
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
      List.of("bindings", "device", "grad", "compile", "nn", "io", "serve", "train", "cli");

  private static final String BINDINGS = "io.recur.bindings..";
  private static final String CLI = "io.recur.cli..";
  private static final String SHOW = "io.recur.train.show";
  private static final String CELLS = "io.recur.nn.cells";
  private static final String FLOOR = "io.recur.device";

  /** For each package of device, those that it may know beside itself. */
  private static final Map<String, List<String>> KNOWN =
      Map.of(
          "", List.of(),
          ".natives", List.of(""),
          ".memory", List.of(""),
          ".kernels", List.of("", ".memory"),
          ".cpu", List.of("", ".natives", ".memory", ".kernels"),
          ".cuda", List.of("", ".natives", ".memory", ".kernels"));

  /** Words that say nothing about what a thing is. */
  private static final List<String> EMPTY_WORDS =
      List.of("util", "utils", "common", "impl", "manager", "factory", "provider");

  private static Path location;
  private static JavaClasses main;

  @BeforeAll
  static void read() throws URISyntaxException {
    location = Path.of(Device.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    main = new ClassFileImporter().importPath(location);
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

  /** Both stand above io, and neither knows the other. */
  @Test
  void trainingDoesNotKnowServing() {
    noClasses()
        .that()
        .resideInAPackage(room("train"))
        .should()
        .dependOnClassesThat()
        .resideInAPackage(room("serve"))
        .check(main);
  }

  /** Its cells stand on what any user has: layers, operations and the table of functions. */
  @Test
  void theCatalogueOfCellsStandsOnNnAndGradAlone() {
    noClasses()
        .that()
        .resideInAPackage("io.recur.nn")
        .should()
        .dependOnClassesThat()
        .resideInAPackage(CELLS)
        .check(main);
    classes()
        .that()
        .resideInAPackage(CELLS)
        .should()
        .onlyDependOnClassesThat(
            resideInAnyPackage("java..", "org.jspecify..", CELLS, "io.recur.nn", "io.recur.grad")
                .or(equivalentTo(Elementwise.class))
                .or(equivalentTo(Dimension.class)))
        .check(main);
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
  void optionalLibrariesStayWhereTheyAreUsed() {
    noClasses()
        .that()
        .resideOutsideOfPackage(CLI)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("picocli..", "java.awt..", "javax.swing..")
        .check(main);
    noClasses()
        .that()
        .resideOutsideOfPackages(CLI, SHOW)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("me.tongfei..", "org.knowm..")
        .check(main);
  }

  private static void staysIn(String room, String... libraries) {
    noClasses()
        .that()
        .resideOutsideOfPackage(room)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(libraries)
        .check(main);
  }

  @Test
  void aLibraryOfOnePackageStaysInIt() {
    staysIn("io.recur.io.keras", "io.jhdf..", "org.slf4j..", "org.apache.commons..");
    staysIn("io.recur.serve.kafka", "org.apache.kafka..");
    staysIn("io.recur.serve.rocksdb", "org.rocksdb..");
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

  // The floor of device and its two wings, as docs/architecture.md draws them.

  private static String[] names(Stream<String> packages) {
    return packages.map(FLOOR::concat).toArray(String[]::new);
  }

  @Test
  void everyClassOfDeviceIsInOneOfItsPackages() {
    classes()
        .that()
        .resideInAPackage(FLOOR + "..")
        .should()
        .resideInAnyPackage(names(KNOWN.keySet().stream()))
        .check(main);
  }

  /** Neither wing is among what the other may know. */
  @Test
  void importsRunFromTheWingsToTheFloor() {
    DescribedPredicate<JavaClass> elsewhere =
        DescribedPredicate.not(resideInAPackage(FLOOR + ".."));
    KNOWN.forEach(
        (name, others) ->
            classes()
                .that()
                .resideInAPackage(FLOOR + name)
                .and(DescribedPredicate.not(equivalentTo(Device.class)))
                .should()
                .onlyDependOnClassesThat(
                    elsewhere.or(
                        resideInAnyPackage(names(Stream.concat(Stream.of(name), others.stream())))))
                .check(main));
  }

  @Test
  void aDeviceKnowsTheWingsByTheTwoClassesThatItOpens() {
    classes()
        .that(equivalentTo(Device.class))
        .should()
        .onlyDependOnClassesThat(
            DescribedPredicate.not(resideInAPackage(FLOOR + ".."))
                .or(resideInAPackage(FLOOR))
                .or(equivalentTo(CpuDevice.class))
                .or(equivalentTo(CudaDevice.class)))
        .check(main);
    assertEquals(
        List.of(CpuDevice.class, CudaDevice.class), List.of(Device.class.getPermittedSubclasses()));
  }

  /** What a class of a wing knows does not know it, by whatever way round. */
  @Test
  void theClassesOfAWingFormNoCircle() {
    SliceAssignment byClass =
        new SliceAssignment() {
          @Override
          public SliceIdentifier getIdentifierOf(JavaClass its) {
            return resideInAnyPackage(FLOOR + ".cpu", FLOOR + ".cuda").test(its)
                ? SliceIdentifier.of(its.getName().replaceFirst("\\$.*", ""))
                : SliceIdentifier.ignore();
          }

          @Override
          public String getDescription() {
            return "the classes of the wings";
          }
        };
    slices().assignedFrom(byClass).should().beFreeOfCycles().check(main);
  }

  @Test
  void otherRoomsKnowNeitherWing() {
    noClasses()
        .that()
        .resideOutsideOfPackage(FLOOR + "..")
        .should()
        .dependOnClassesThat(
            DescribedPredicate.describe(
                "stand in a wing or load libraries",
                resideInAnyPackage(FLOOR + ".cpu", FLOOR + ".cuda", FLOOR + ".natives")))
        .check(main);
  }

  @Test
  void theModuleExportsTheFloorAlone() throws IOException {
    try (InputStream module = Files.newInputStream(location.resolve("module-info.class"))) {
      assertEquals(
          List.of(FLOOR),
          ModuleDescriptor.read(module).exports().stream()
              .map(ModuleDescriptor.Exports::source)
              .filter(name -> name.startsWith(FLOOR))
              .toList());
    }
  }
}
