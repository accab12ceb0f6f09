package io.recur.io.onnx;

import io.recur.nn.Attention;
import io.recur.nn.BatchNorm;
import io.recur.nn.Bidirectional;
import io.recur.nn.Cell;
import io.recur.nn.Chain;
import io.recur.nn.Conv1d;
import io.recur.nn.Dense;
import io.recur.nn.Dropout;
import io.recur.nn.Embedding;
import io.recur.nn.Highway;
import io.recur.nn.Layer;
import io.recur.nn.LayerNorm;
import io.recur.nn.Recur;
import io.recur.nn.Residual;
import io.recur.nn.Sliding;
import io.recur.nn.StackedCell;
import java.util.List;

/** What a model takes: how many rows, and whether they are one-hot. */
final class ExportInput {
  private final ExportTrace trace;

  ExportInput(ExportTrace trace) {
    this.trace = trace;
  }

  /** {@return the rows of x, or 0 where the layer does not say} */
  int rows(Layer layer) {
    return switch (layer) {
      case Dense dense -> dense.matrix().columns();
      case Embedding embedding -> embedding.own().getFirst().shape().columns();
      case LayerNorm _, BatchNorm _ -> layer.own().getFirst().shape().rows();
      case Conv1d conv -> conv.in();
      case Recur recur -> rows(recur.cell());
      case Bidirectional both -> rows(both.forward());
      case Attention attention -> rows(attention);
      case Chain chain -> rowsOfFirst(chain.layers());
      case Residual _, Highway _, Sliding _ ->
          layer.layers().stream().mapToInt(this::rows).max().orElse(0);
      default -> 0;
    };
  }

  private int rows(Cell cell) {
    return cell instanceof StackedCell stacked
        ? stacked.matrices().getFirst().columns()
        : trace.rowsOf(cell);
  }

  /** The query's rows: those of Wq's columns or of W's rows, which have an entry each. */
  private static int rows(Attention attention) {
    return switch (attention.own().size()) {
      case 0 -> 0;
      case 1 -> attention.own().getFirst().shape().rows();
      default -> attention.own().getFirst().shape().columns();
    };
  }

  /** The rows of the first layer; those of the next one where it keeps them. */
  private int rowsOfFirst(List<Layer> layers) {
    for (Layer layer : layers) {
      int rows = rows(layer);
      if (rows > 0 || !(layer instanceof Dropout)) {
        return rows;
      }
    }
    return 0;
  }

  /** {@return whether the first layer takes the numbers of classes} */
  static boolean isEmbedded(Layer layer) {
    return switch (layer) {
      case Embedding _ -> true;
      case Sliding sliding -> isEmbedded(sliding.layers().getFirst());
      case Chain chain ->
          chain.layers().stream()
              .filter(inner -> !(inner instanceof Dropout))
              .findFirst()
              .map(ExportInput::isEmbedded)
              .orElse(false);
      default -> false;
    };
  }
}
