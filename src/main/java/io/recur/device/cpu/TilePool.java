package io.recur.device.cpu;

import io.recur.device.kernels.Instruction;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The tiles of a section that no array keeps: each is used again once its value is dead, for values
 * of its kind.
 */
final class TilePool {
  /**
   * What tiles hold: values; rows, which in a tile of values would lie among other columns; or a
   * vector, in the place of one.
   */
  private enum Kind {
    VALUES,
    ROWS,
    VECTOR
  }

  private final List<Tables.Place> places;
  private final Map<Integer, Kind> kinds = new HashMap<>();
  private final Map<Kind, Deque<Integer>> free = new EnumMap<>(Kind.class);
  private int count;

  /**
   * A pool without tiles.
   *
   * @param places those of the section, to which those of vectors are added: place k is tile −1 − k
   */
  TilePool(List<Tables.Place> places) {
    this.places = places;
    for (Kind kind : Kind.values()) {
      free.put(kind, new ArrayDeque<>());
    }
  }

  /** Tiles without a place. */
  int tiles() {
    return count;
  }

  /** A tile for the value of a node. */
  int take(Node node) {
    Kind kind =
        node.its() instanceof Instruction.LoadVector
            ? Kind.VECTOR
            : node.isRow() ? Kind.ROWS : Kind.VALUES;
    Deque<Integer> unused = free.get(kind);
    return unused.isEmpty() ? another(kind) : unused.pop();
  }

  private int another(Kind kind) {
    int tile = count;
    if (kind == Kind.VECTOR) {
      places.add(Tables.Place.OF_VECTOR);
      tile = -places.size();
    } else {
      count++;
    }
    kinds.put(tile, kind);
    return tile;
  }

  /** Whether a tile is one of these. */
  boolean has(int tile) {
    return kinds.containsKey(tile);
  }

  /** Whether a tile is the place of a vector. */
  boolean isOfVector(int tile) {
    return kinds.get(tile) == Kind.VECTOR;
  }

  /** Takes a tile back whose value is dead. */
  void give(int tile) {
    free.get(kinds.get(tile)).push(tile);
  }
}
