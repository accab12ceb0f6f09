package io.recur.device.cpu;

import static io.recur.device.cpu.Code.NO_TILE;

import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.Instruction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * A section as the C interpreter runs it. Each value gets a tile: the one of a value that dies
 * there, the array in tiles or the panel of gradients that keeps it, or one that is free.
 */
final class SectionAssembly {
  private final Tables program;
  private final CellProgram.Section section;
  private final @Nullable GradientPanels panels;
  private final IntPredicate isSummed;
  private final List<Node> order = new ArrayList<>();

  /** For each value the last node that reads it. */
  private final Map<Integer, Node> readers = new HashMap<>();

  private final Map<Integer, Node> writers = new HashMap<>();

  /** Tiles of values; −1 − k for place k. */
  private final Map<Integer, Integer> tiles = new HashMap<>();

  private final List<Tables.Place> places = new ArrayList<>();

  /** Values of rows that all blocks read. */
  private final Set<Integer> ofAllBlocks = new HashSet<>();

  /** Places that a value may be overwritten in. */
  private final Set<Integer> disposable = new HashSet<>();

  private final Set<Integer> stored = new HashSet<>();
  private final Set<Integer> loaded = new HashSet<>();
  private final Set<Node> done = Node.set();

  /** The panels of values that are kept, and those of them that are computed there. */
  private final Map<Integer, Integer> kept = new HashMap<>();

  private final Set<Integer> inPanel = new HashSet<>();
  private final TilePool pool = new TilePool(places);

  final List<List<Code>> groups = List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());

  SectionAssembly(
      Tables program,
      CellProgram.Section section,
      SectionOrder ordered,
      @Nullable GradientPanels panels,
      IntPredicate isSummed) {
    this.program = program;
    this.section = section;
    this.panels = panels;
    this.isSummed = isSummed;
    for (List<List<Node>> group : ordered.groups) {
      for (List<Node> item : group) {
        order.addAll(item);
      }
    }
    for (Node node : order) {
      for (int value : node.reads()) {
        readers.put(value, node);
      }
      writers.put(node.to(), node);
      if (node.its() instanceof Instruction.Load i) {
        loaded.add(i.array());
      } else if (node.its() instanceof Instruction.Store i) {
        stored.add(i.array());
      }
    }
    findOfAllBlocks(ordered);
    placeStored();
    keepGradients();
    for (int i = 0; i < 3; i++) {
      expect(ordered.groups.get(i), groups.get(i));
      for (List<Node> item : ordered.groups.get(i)) {
        emit(item, groups.get(i));
      }
      measure(groups.get(i));
    }
    number();
  }

  /** Numbers tiles as C does. */
  private void number() {
    for (List<Code> group : groups) {
      for (Code code : group) {
        code.number();
      }
    }
  }

  List<Tables.Place> places() {
    return places;
  }

  /** Tiles without a place. */
  int tiles() {
    return pool.tiles();
  }

  /** Finds what a section that is not free computes for one block and reads for each. */
  private void findOfAllBlocks(SectionOrder ordered) {
    for (List<Node> item : ordered.isFree ? List.<List<Node>>of() : ordered.groups.getFirst()) {
      ofAllBlocks.add(item.getFirst().to());
    }
    Set<Integer> read = new HashSet<>();
    for (List<Node> item : ordered.groups.getLast()) {
      item.forEach(node -> read.addAll(node.reads()));
    }
    ofAllBlocks.retainAll(read);
  }

  // Places.

  /** Decides which values are computed where they are to be kept. */
  private void placeStored() {
    for (Node node : order) {
      if (node.its() instanceof Instruction.Store i
          && program.isInTiles(i.array())
          && !loaded.contains(i.array())
          && placed(
              node.reads().getFirst(),
              new Tables.Place(Tables.Place.Kind.ARRAY, i.array(), i.lag()))) {
        done.add(node);
      }
    }
  }

  private void keepGradients() {
    for (Node node : panels == null ? List.<Node>of() : order) {
      if (node.its() instanceof Instruction.Store i
          && program.isGradient(i.array())
          && !isSummed.test(i.array())) {
        int value = node.reads().getFirst();
        Integer panel = kept.get(value);
        if (panel == null) {
          panel = panels.keep(section.rows());
          kept.put(value, panel);
          if (placed(value, new Tables.Place(Tables.Place.Kind.PANEL, panel, 0))) {
            inPanel.add(value);
          }
        }
        panels.gradients(panel, i.array(), i.row(), false);
      }
    }
  }

  /** Gives a value a place, and what it is computed from in place. */
  private boolean placed(int value, Tables.Place place) {
    Node writer = writers.get(value);
    if (tiles.containsKey(value) || isView(writer)) {
      return false;
    }
    places.add(place);
    int tile = -places.size();
    tiles.put(value, tile);
    while (writer.isInPlace()) {
      Node last = writer;
      Integer source = null;
      for (int read : writer.reads()) {
        if (read != Instruction.NONE
            && readers.get(read) == last
            && !tiles.containsKey(read)
            && !ofAllBlocks.contains(read)
            && !(writers.get(read).its() instanceof Instruction.LoadVector)
            && (!isView(writers.get(read)) || isSame(writers.get(read), place))) {
          source = read;
          break;
        }
      }
      if (source == null) {
        return true;
      }
      tiles.put(source, tile);
      writer = writers.get(source);
    }
    return true;
  }

  /** Whether a load gives the tile of an array itself. */
  private boolean isView(Node node) {
    return node.its() instanceof Instruction.Load i
        && program.isInTiles(i.array())
        && !stored.contains(i.array());
  }

  /** Whether a load of a hidden array can be of the place instead. */
  private boolean isSame(Node load, Tables.Place place) {
    return load.its() instanceof Instruction.Load i
        && i.lag() == 0
        && program.join(i.array(), place);
  }

  // Instructions.

  /** While products run, the columns that are loaded after them come into the cache. */
  private void expect(List<List<Node>> items, List<Code> codes) {
    if (items.stream().noneMatch(item -> item.getFirst().its() instanceof Instruction.Product)) {
      return;
    }
    Set<List<Integer>> expected = new HashSet<>();
    for (List<Node> item : items) {
      if (item.getFirst().its() instanceof Instruction.Load i
          && !program.isInTiles(i.array())
          && expected.add(List.of(i.array(), i.row(), i.lag()))) {
        codes.add(new Code(Opcode.EXPECT).at(i.array(), i.row(), i.lag()));
      }
    }
  }

  private void emit(List<Node> item, List<Code> codes) {
    if (item.getFirst().its() instanceof Instruction.Product) {
      emitProducts(item, codes);
      return;
    }
    Node node = item.getFirst();
    if (done.contains(node)) {
      return;
    }
    if (isView(node) && tiles.containsKey(node.to())) {
      return; // computed where it is to be kept
    }
    if (isView(node)) {
      Instruction.Load i = (Instruction.Load) node.its();
      places.add(new Tables.Place(Tables.Place.Kind.ARRAY, i.array(), i.lag()));
      tiles.put(node.to(), -places.size());
      if (program.isHidden(i.array())) {
        disposable.add(-places.size());
      }
      return;
    }
    int[] reads = new int[node.reads().size()];
    for (int i = 0; i < reads.length; i++) {
      reads[i] = tileOf(node.reads().get(i));
    }
    int to = node.to() == Instruction.NONE ? NO_TILE : target(node);
    release(node);
    if (node.its() instanceof Instruction.Gather && reads[0] == NO_TILE) {
      codes.add(new Code(Opcode.CLEAR).to(to));
    }
    if (node.its() instanceof Instruction.Store i && isSummed.test(i.array())) {
      codes.add(sum(i, node.fused() == Node.SUM, reads));
      return;
    }
    Code code = NodeCode.of(node, to, reads, program);
    code.function += node.isRow() ? Opcode.ROW : 0;
    code.function += pool.isOfVector(to) ? Opcode.IN_PLACE : 0;
    codes.add(code);
    Integer panel = kept.get(node.to());
    if (panel != null && !inPanel.contains(node.to())) {
      codes.add(new Code(Opcode.KEEP).of(to, NO_TILE, NO_TILE).at(panel, 0, 0).to(NO_TILE));
    }
  }

  /** Adds a value, or the product of two, to the sum of a panel over the steps. */
  private Code sum(Instruction.Store store, boolean isOfProduct, int[] reads) {
    GradientPanels all = Objects.requireNonNull(panels);
    int panel = all.keep(section.rows());
    all.gradients(panel, store.array(), store.row(), true);
    Code code = new Code(Opcode.KEEP).of(reads[0], reads[isOfProduct ? 1 : 0], NO_TILE);
    code.function = isOfProduct ? Opcode.SUM_OF_PRODUCT : Opcode.SUM;
    return code.at(panel, 0, 0);
  }

  private int tileOf(int value) {
    return value == Instruction.NONE ? NO_TILE : tiles.get(value);
  }

  private boolean dies(int value, Node at) {
    return value != Instruction.NONE && readers.get(value) == at && !ofAllBlocks.contains(value);
  }

  private boolean mayOverwrite(int tile) {
    return tile >= 0 || disposable.contains(tile);
  }

  /** The tile that a node writes. */
  private int target(Node node) {
    Integer known = tiles.get(node.to());
    if (known != null) {
      return known;
    }
    int tile = NO_TILE;
    for (int value : node.isInPlace() ? node.reads() : List.<Integer>of()) {
      if (dies(value, node) && mayOverwrite(tileOf(value))) {
        tile = tileOf(value);
        break;
      }
    }
    if (tile == NO_TILE) {
      tile = pool.take(node);
    }
    tiles.put(node.to(), tile);
    return tile;
  }

  /** Frees the tiles of values that nobody reads later. */
  private void release(Node node) {
    Set<Integer> gone = new HashSet<>();
    for (int value : node.reads()) {
      if (dies(value, node) && pool.has(tileOf(value))) {
        gone.add(tileOf(value));
      }
    }
    if (node.to() != Instruction.NONE) {
      gone.remove(tiles.get(node.to()));
    }
    for (int tile : gone) {
      pool.give(tile);
    }
  }

  private void emitProducts(List<Node> item, List<Code> codes) {
    boolean begins = item.stream().allMatch(node -> node.reads().getFirst() == Instruction.NONE);
    List<Integer> sums = new ArrayList<>();
    for (Node node : item) {
      int sum = tileOf(node.reads().getFirst());
      int to = target(node);
      release(node);
      Instruction.LoadVector vector = node.begin();
      if (vector != null && !begins) {
        codes.add(new Code(Opcode.LOAD_VECTOR).to(to).at(vector.vector(), vector.row(), 0));
      } else if (sum == NO_TILE && !begins) {
        codes.add(new Code(Opcode.CLEAR).to(to));
      } else if (sum != NO_TILE && sum != to) {
        codes.add(new Code(Opcode.COPY).to(to).of(sum, NO_TILE, NO_TILE));
      }
      sums.add(Code.inC(to));
    }
    Code code = new Code(Opcode.PRODUCT).at(program.multiplication(item, sums), 0, 0);
    code.function = begins ? Opcode.BEGIN : 0;
    codes.add(code);
    for (Node node : item) {
      Integer panel = kept.get(node.to());
      if (panel != null && !inPanel.contains(node.to())) {
        codes.add(new Code(Opcode.KEEP).of(tileOf(node.to()), NO_TILE, NO_TILE).at(panel, 0, 0));
      }
    }
  }

  /** Counts for each instruction how many work on some columns after the others from there on. */
  private static void measure(List<Code> codes) {
    for (int i = codes.size() - 1; i >= 0; i--) {
      Code code = codes.get(i);
      int rest = i + 1 < codes.size() ? codes.get(i + 1).length : 0;
      code.length = code.opcode.isWhole() ? 0 : 1 + rest;
    }
  }
}
