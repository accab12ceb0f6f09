package io.recur.compile;

import io.recur.compile.Tables.Purpose;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The products of a forward pass whose weights are adjacent rows of one matrix and which read the
 * same array: one matrix of gradients serves them, and one transposed product.
 */
final class Groups {
  /** A product's rows, and the term that computes them. */
  record Piece(int row, int rows, int term) {}

  /**
   * Adjacent pieces.
   *
   * @param weights of all of them
   * @param operand the array that they read
   * @param pieces from the first row on
   * @param gradient an array of as many rows
   */
  record Group(int weights, int operand, List<Piece> pieces, int gradient) {
    int first() {
      return pieces.getFirst().row();
    }
  }

  final List<Group> all = new ArrayList<>();

  private record Key(int matrix, int column, int columns, int operand) {}

  Groups(Draft forward, Tables tables) {
    Map<Key, List<Piece>> found = new LinkedHashMap<>();
    for (int i = 0; i < forward.terms.size(); i++) {
      if (forward.term(i) instanceof Term.Times times) {
        var part = tables.weights.get(times.weights());
        Key key = new Key(part.matrix(), part.column(), part.columns(), times.operand());
        found
            .computeIfAbsent(key, _ -> new ArrayList<>())
            .add(new Piece(part.row(), part.rows(), i));
      }
    }
    found.forEach((key, pieces) -> add(tables, key, pieces));
  }

  private void add(Tables tables, Key key, List<Piece> pieces) {
    for (List<Piece> run : runs(pieces)) {
      int first = run.getFirst().row();
      int rows = run.getLast().row() + run.getLast().rows() - first;
      int weights = tables.weights(key.matrix(), first, rows, key.column(), key.columns());
      all.add(new Group(weights, key.operand(), run, tables.matrix(rows, Purpose.GRADIENT)));
    }
  }

  /** Cuts pieces into runs without a gap and without an overlap. */
  static List<List<Piece>> runs(List<Piece> pieces) {
    List<List<Piece>> runs = new ArrayList<>();
    List<Piece> sorted = new ArrayList<>(pieces);
    sorted.sort(Comparator.comparingInt(Piece::row));
    for (Piece piece : sorted) {
      List<Piece> fits = null;
      for (List<Piece> run : runs) {
        Piece last = run.getLast();
        fits = fits == null && last.row() + last.rows() == piece.row() ? run : fits;
      }
      if (fits == null) {
        fits = new ArrayList<>();
        runs.add(fits);
      }
      fits.add(piece);
    }
    return runs;
  }
}
