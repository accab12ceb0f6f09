package io.recur.io;

import io.recur.grad.Parameter;
import io.recur.grad.Tensor;
import io.recur.io.Structure.Kind;
import io.recur.io.layers.Activation;
import io.recur.io.layers.EquationCell;
import io.recur.io.layers.RecurrentKind;
import io.recur.nn.Cell;
import io.recur.nn.GRUCell;
import io.recur.nn.GRUv3Cell;
import io.recur.nn.LSTMCell;
import io.recur.nn.RNNCell;
import io.recur.nn.cells.ProjectedLSTMCell;
import io.recur.nn.cells.RecurrentDropout;
import io.recur.nn.cells.WeightDrop;
import io.recur.nn.cells.Zoneout;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The built-in cells, those of importers and the regularisers in a {@link Structure}. */
final class StructureCells {
  /** The peepholes of the gates i, o and f. */
  private static final List<String> PEEPHOLES = List.of("Pi", "Po", "Pf");

  static final List<Kind<? extends Cell>> CELLS =
      List.of(
          new Kind<>(
              "rnn",
              RNNCell.class,
              (cell, to) ->
                  to.put("function", cell.function()).put(cell.parameters(), cell.matrices()),
              from ->
                  new RNNCell(
                      from.function("function"),
                      from.matrix("Wi"),
                      from.matrix("Wh"),
                      from.parameter("b"),
                      from.optional("bh"),
                      from.parameter("h0"))),
          new Kind<>(
              "lstm",
              LSTMCell.class,
              (cell, to) -> to.put(cell.parameters(), cell.matrices()),
              from ->
                  new LSTMCell(
                      from.matrix("Wi"),
                      from.matrix("Wh"),
                      from.parameter("b"),
                      from.optional("bh"),
                      from.parameter("h0"),
                      from.parameter("c0"))),
          new Kind<>(
              "projected lstm",
              ProjectedLSTMCell.class,
              (cell, to) -> to.put(cell.parameters(), cell.matrices()),
              from ->
                  new ProjectedLSTMCell(
                      from.matrix("Wi"),
                      from.matrix("Wh"),
                      from.matrix("Wr"),
                      from.parameter("b"),
                      from.optional("bh"),
                      from.parameter("h0"),
                      from.parameter("c0"))),
          new Kind<>(
              "gru",
              GRUCell.class,
              (cell, to) -> to.put(cell.parameters(), cell.matrices()),
              from ->
                  new GRUCell(
                      from.matrix("Wi"),
                      from.matrix("Wh"),
                      from.parameter("b"),
                      from.optional("bh"),
                      from.parameter("h0"))),
          new Kind<>(
              "gru v3",
              GRUv3Cell.class,
              (cell, to) -> to.put(cell.parameters(), cell.matrices()),
              from ->
                  new GRUv3Cell(
                      from.matrix("Wi"),
                      from.matrix("Wh"),
                      from.matrix("Whc"),
                      from.parameter("b"),
                      from.parameter("h0"))),
          new Kind<>(
              "equations", EquationCell.class, StructureCells::describe, StructureCells::equations),
          new Kind<>(
              "zoneout",
              Zoneout.class,
              (cell, to) -> to.put("cell", cell.cell()).numbers("rates", cell.rates()),
              from -> Zoneout.of(from.cell("cell"), from.numbers("rates"))),
          new Kind<>(
              "recurrent dropout",
              RecurrentDropout.class,
              (cell, to) -> to.put("cell", cell.cell()).numbers("rates", cell.rates()),
              from -> RecurrentDropout.of(from.cell("cell"), from.numbers("rates"))),
          new Kind<>(
              "weight drop",
              WeightDrop.class,
              (cell, to) ->
                  to.put("cell", cell.cell())
                      .put("rate", cell.rate())
                      .texts("matrices", cell.dropped()),
              from ->
                  WeightDrop.of(
                      from.cell("cell"),
                      from.number("rate"),
                      from.texts("matrices").toArray(String[]::new))));

  private StructureCells() {}

  private static void describe(EquationCell cell, Described to) {
    EquationCell.Rule rule = cell.rule();
    to.put("kind", rule.kind().name())
        .texts("functions", rule.functions().stream().map(Activation::label).toList())
        .put("coupled", rule.isCoupled())
        .put("reset after", rule.isResetAfter());
    if (rule.clip() < Float.POSITIVE_INFINITY) {
      to.put("clip", rule.clip());
    }
    to.put(cell.parameters());
  }

  private static EquationCell equations(Described from) {
    RecurrentKind kind = from.one("kind", RecurrentKind.class);
    List<Activation> functions = new ArrayList<>();
    for (Object label : from.list("functions")) {
      functions.add(
          Activation.of(String.valueOf(label))
              .orElseThrow(() -> from.wrong("functions", "names of functions")));
    }
    Parameter wh = from.parameter("Wh");
    List<Parameter> state0 =
        Stream.of("h0", "c0").limit(kind.states()).map(from::parameter).toList();
    List<Tensor> peepholes =
        PEEPHOLES.stream().filter(from::has).<Tensor>map(from::parameter).toList();
    EquationCell.Rule rule =
        new EquationCell.Rule(
            kind,
            wh.shape().columns(),
            List.copyOf(functions),
            from.has("clip") ? from.number("clip") : Float.POSITIVE_INFINITY,
            from.flag("coupled"),
            from.flag("reset after"));
    EquationCell.Weights weights =
        new EquationCell.Weights(
            from.parameter("Wi"),
            wh,
            from.optional("Whc"),
            from.optional("b"),
            from.optional("bh"),
            peepholes);
    return new EquationCell(rule, weights, state0);
  }
}
