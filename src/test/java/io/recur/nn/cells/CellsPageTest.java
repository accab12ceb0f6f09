package io.recur.nn.cells;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.recur.device.Devices;
import java.io.IOException;
import java.nio.file.Files;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag(Devices.CPU)
class CellsPageTest {
  @Test
  void thePageIsThatOfTheCells() throws IOException {
    assertEquals(
        CellsPage.text(),
        Files.readString(CellsPage.PAGE),
        "run io.recur.nn.cells.CellsPage and commit " + CellsPage.PAGE);
  }
}
