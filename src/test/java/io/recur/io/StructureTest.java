package io.recur.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import io.recur.device.Devices;
import io.recur.io.Structure.Kind;
import io.recur.nn.Cell;
import io.recur.nn.Cells;
import io.recur.nn.Layer;
import io.recur.nn.Recur;
import io.recur.nn.Sliding;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The tables of layers and cells are whole, and the tests have a model of each entry. */
@Tag(Devices.CPU)
class StructureTest {
  /** A Recur is described by its cell; the others are ways of training, and users' functions. */
  private static final Set<String> OTHERS =
      Set.of(Recur.class.getName(), Sliding.class.getName(), "io.recur.nn.FunctionCell");

  private static Stream<Kind<?>> kinds() {
    return Stream.of(StructureLayers.LAYERS, Structure.CELLS).flatMap(List::stream);
  }

  private static boolean isKind(JavaClass each) {
    return (each.isAssignableTo(Layer.class) || each.isAssignableTo(Cell.class))
        && each.isTopLevelClass()
        && !each.isInterface()
        && !each.getModifiers().contains(JavaModifier.ABSTRACT)
        && !each.getPackageName().startsWith("io.recur.cli")
        && !OTHERS.contains(each.getName());
  }

  @Test
  void everyLayerAndCellOfTheLibraryIsAnEntry() throws URISyntaxException {
    var source = Layer.class.getProtectionDomain().getCodeSource().getLocation();
    Set<String> made =
        new ClassFileImporter()
            .importPath(Path.of(source.toURI())).stream()
                .filter(StructureTest::isKind)
                .map(JavaClass::getName)
                .collect(Collectors.toCollection(TreeSet::new));
    assertFalse(made.isEmpty());
    assertEquals(
        made,
        kinds().map(kind -> kind.type().getName()).collect(Collectors.toCollection(TreeSet::new)));
  }

  @Test
  void aNameIsThatOfOneKind() {
    assertEquals(kinds().count(), kinds().map(Kind::name).distinct().count());
  }

  /** But for graphs of ONNX, which have tests of their own. */
  @Test
  void everyEntryIsInAModelThatIsBuiltAgain() {
    String texts =
        Stream.of(
                ModelsTest.models().stream(),
                DescribedModelsTest.settings().stream(),
                Cells.catalogue().map(cell -> new Recur(cell.paper(4, 4))))
            .flatMap(models -> models)
            .map(Structure::of)
            .collect(Collectors.joining());
    kinds()
        .map(Kind::name)
        .filter(name -> !name.equals("onnx graph"))
        .forEach(name -> assertTrue(texts.contains("\"layer\":\"" + name + "\""), name));
  }
}
