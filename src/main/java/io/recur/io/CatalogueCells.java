package io.recur.io;

import io.recur.io.Structure.Kind;
import io.recur.nn.Cell;
import io.recur.nn.Matrix;
import io.recur.nn.cells.ATRCell;
import io.recur.nn.cells.CFNCell;
import io.recur.nn.cells.CoRNNCell;
import io.recur.nn.cells.CoupledLSTMCell;
import io.recur.nn.cells.FastGRNNCell;
import io.recur.nn.cells.FastRNNCell;
import io.recur.nn.cells.GatedDeltaNetCell;
import io.recur.nn.cells.IndRNNCell;
import io.recur.nn.cells.JANETCell;
import io.recur.nn.cells.LRUCell;
import io.recur.nn.cells.LayerNormGRUCell;
import io.recur.nn.cells.LayerNormLSTMCell;
import io.recur.nn.cells.LiGRUCell;
import io.recur.nn.cells.MGUCell;
import io.recur.nn.cells.MLSTMCell;
import io.recur.nn.cells.MinGRUCell;
import io.recur.nn.cells.MinLSTMCell;
import io.recur.nn.cells.MinimalRNNCell;
import io.recur.nn.cells.MultiplicativeLSTMCell;
import io.recur.nn.cells.NASCell;
import io.recur.nn.cells.PeepholeLSTMCell;
import io.recur.nn.cells.QRNNCell;
import io.recur.nn.cells.RGLRUCell;
import io.recur.nn.cells.RHNCell;
import io.recur.nn.cells.RWKV7Cell;
import io.recur.nn.cells.S5Cell;
import io.recur.nn.cells.SCRNCell;
import io.recur.nn.cells.SLSTMCell;
import io.recur.nn.cells.SRUCell;
import io.recur.nn.cells.STARCell;
import io.recur.nn.cells.UGRNNCell;
import java.util.List;
import java.util.function.Function;

/** The cells of {@link io.recur.nn.cells} in a {@link Structure}. */
final class CatalogueCells {
  static final List<Kind<? extends Cell>> CELLS =
      List.of(
          kind(
              ATRCell.class,
              ATRCell::matrices,
              from -> new ATRCell(from.matrix("Wi"), from.matrix("Wh"), from.parameter("h0"))),
          kind(
              CFNCell.class,
              CFNCell::matrices,
              from ->
                  new CFNCell(
                      from.matrix("Wi"),
                      from.matrix("Wh"),
                      from.parameter("b"),
                      from.parameter("h0"))),
          new Kind<>(
              "CoRNNCell",
              CoRNNCell.class,
              (cell, to) ->
                  to.put("dt", cell.dt())
                      .put("gamma", cell.gamma())
                      .put("epsilon", cell.epsilon())
                      .put(cell.parameters(), cell.matrices()),
              from ->
                  new CoRNNCell(
                      from.matrix("Wi"),
                      from.matrix("Wh"),
                      from.matrix("Wz"),
                      from.parameter("b"),
                      from.parameter("h0"),
                      from.parameter("z0"),
                      from.number("dt"),
                      from.number("gamma"),
                      from.number("epsilon"))),
          kind(
              CoupledLSTMCell.class,
              CoupledLSTMCell::matrices,
              from ->
                  new CoupledLSTMCell(
                      from.matrix("Wi"),
                      from.matrix("Wh"),
                      from.parameter("b"),
                      from.parameter("h0"),
                      from.parameter("c0"))),
          kind(
              FastGRNNCell.class,
              FastGRNNCell::matrices,
              from ->
                  new FastGRNNCell(
                      from.matrix("Wi"),
                      from.matrix("Wh"),
                      from.parameter("bz"),
                      from.parameter("bh"),
                      from.parameter("zeta"),
                      from.parameter("nu"),
                      from.parameter("h0"))),
          kind(
              FastRNNCell.class,
              FastRNNCell::matrices,
              from ->
                  new FastRNNCell(
                      from.matrix("Wi"),
                      from.matrix("Wh"),
                      from.parameter("b"),
                      from.parameter("alpha"),
                      from.parameter("beta"),
                      from.parameter("h0"))),
          kind(
              GatedDeltaNetCell.class,
              GatedDeltaNetCell::matrices,
              from ->
                  new GatedDeltaNetCell(
                      from.matrix("Wi"),
                      from.matrix("Wg"),
                      from.parameter("A"),
                      from.parameter("b"),
                      from.parameter("S0"))),
          new Kind<>(
              "IndRNNCell",
              IndRNNCell.class,
              (cell, to) ->
                  to.put("function", cell.function()).put(cell.parameters(), cell.matrices()),
              from ->
                  new IndRNNCell(
                      from.function("function"),
                      from.matrix("Wi"),
                      from.parameter("u"),
                      from.parameter("b"),
                      from.parameter("h0"))),
          kind(
              JANETCell.class,
              JANETCell::matrices,
              from ->
                  new JANETCell(
                      from.matrix("Wi"),
                      from.matrix("Wh"),
                      from.parameter("b"),
                      from.parameter("h0"))),
          kind(
              LayerNormGRUCell.class,
              LayerNormGRUCell::matrices,
              from ->
                  new LayerNormGRUCell(
                      from.matrix("Wi"),
                      from.matrix("Wh"),
                      from.parameter("gi"),
                      from.parameter("gh"),
                      from.parameter("b"),
                      from.parameter("bh"),
                      from.parameter("h0"))),
          kind(
              LayerNormLSTMCell.class,
              LayerNormLSTMCell::matrices,
              from ->
                  new LayerNormLSTMCell(
                      from.matrix("Wi"),
                      from.matrix("Wh"),
                      from.parameter("gi"),
                      from.parameter("gh"),
                      from.parameter("b"),
                      from.parameter("gc"),
                      from.parameter("bc"),
                      from.parameter("h0"),
                      from.parameter("c0"))),
          kind(
              LiGRUCell.class,
              LiGRUCell::matrices,
              from ->
                  new LiGRUCell(
                      from.matrix("Wi"),
                      from.matrix("Wh"),
                      from.parameter("g"),
                      from.parameter("b"),
                      from.parameter("h0"))),
          kind(
              LRUCell.class,
              LRUCell::matrices,
              from ->
                  new LRUCell(
                      from.matrix("B"),
                      from.matrix("Cr"),
                      from.matrix("Ci"),
                      from.matrix("D"),
                      from.parameter("nu"),
                      from.parameter("theta"),
                      from.parameter("gamma"),
                      from.parameter("re0"),
                      from.parameter("im0"))),
          kind(
              MGUCell.class,
              MGUCell::matrices,
              from ->
                  new MGUCell(
                      from.matrix("Wi"),
                      from.matrix("Wh"),
                      from.matrix("Whc"),
                      from.parameter("b"),
                      from.parameter("h0"))),
          kind(
              MinGRUCell.class,
              MinGRUCell::matrices,
              from -> new MinGRUCell(from.matrix("Wi"), from.parameter("b"), from.parameter("h0"))),
          kind(
              MinLSTMCell.class,
              MinLSTMCell::matrices,
              from ->
                  new MinLSTMCell(from.matrix("Wi"), from.parameter("b"), from.parameter("h0"))),
          kind(
              MinimalRNNCell.class,
              MinimalRNNCell::matrices,
              from ->
                  new MinimalRNNCell(
                      from.matrix("Wi"),
                      from.matrix("Wh"),
                      from.matrix("Wz"),
                      from.parameter("bz"),
                      from.parameter("bu"),
                      from.parameter("h0"))),
          kind(
              MLSTMCell.class,
              MLSTMCell::matrices,
              from ->
                  new MLSTMCell(
                      from.matrix("Wi"),
                      from.parameter("b"),
                      from.matrix("Wg"),
                      from.parameter("bg"),
                      from.parameter("C0"),
                      from.parameter("n0"),
                      from.parameter("m0"))),
          kind(
              MultiplicativeLSTMCell.class,
              MultiplicativeLSTMCell::matrices,
              from ->
                  new MultiplicativeLSTMCell(
                      from.matrix("Wi"),
                      from.matrix("Wm"),
                      from.matrix("Wmh"),
                      from.matrix("Wh"),
                      from.parameter("b"),
                      from.parameter("h0"),
                      from.parameter("c0"))),
          kind(
              NASCell.class,
              NASCell::matrices,
              from ->
                  new NASCell(
                      from.matrix("Wi"),
                      from.matrix("Wh"),
                      from.parameter("b"),
                      from.parameter("h0"),
                      from.parameter("c0"))),
          kind(
              PeepholeLSTMCell.class,
              PeepholeLSTMCell::matrices,
              from ->
                  new PeepholeLSTMCell(
                      from.matrix("Wi"),
                      from.matrix("Wh"),
                      from.parameter("pi"),
                      from.parameter("pf"),
                      from.parameter("po"),
                      from.parameter("b"),
                      from.parameter("h0"),
                      from.parameter("c0"))),
          kind(
              QRNNCell.class,
              QRNNCell::matrices,
              from ->
                  new QRNNCell(
                      from.matrix("Wi"),
                      from.matrix("Wp"),
                      from.parameter("b"),
                      from.parameter("c0"),
                      from.parameter("p0"))),
          kind(
              RGLRUCell.class,
              RGLRUCell::matrices,
              from ->
                  new RGLRUCell(
                      from.matrix("Wi"),
                      from.matrix("Wg"),
                      from.parameter("b"),
                      from.parameter("lambda"),
                      from.parameter("h0"))),
          kind(
              RHNCell.class,
              RHNCell::matrices,
              from ->
                  new RHNCell(
                      from.matrix("Wi"),
                      from.numbered("Wh", from::matrix),
                      from.numbered("b", from::parameter),
                      from.parameter("h0"))),
          kind(
              RWKV7Cell.class,
              RWKV7Cell::matrices,
              from ->
                  new RWKV7Cell(
                      from.matrix("Wi"),
                      from.matrix("Wg"),
                      from.parameter("b"),
                      from.parameter("xi"),
                      from.parameter("mu"),
                      from.parameter("rho"),
                      from.parameter("S0"))),
          kind(
              S5Cell.class,
              S5Cell::matrices,
              from ->
                  new S5Cell(
                      from.matrix("B"),
                      from.matrix("Cr"),
                      from.matrix("Ci"),
                      from.matrix("D"),
                      from.parameter("lr"),
                      from.parameter("li"),
                      from.parameter("delta"),
                      from.parameter("re0"),
                      from.parameter("im0"))),
          kind(
              SCRNCell.class,
              SCRNCell::matrices,
              from ->
                  new SCRNCell(
                      from.matrix("Wi"),
                      from.matrix("Wh"),
                      from.matrix("Ws"),
                      from.matrix("U"),
                      from.parameter("h0"),
                      from.parameter("s0"))),
          kind(
              SLSTMCell.class,
              SLSTMCell::matrices,
              from ->
                  new SLSTMCell(
                      from.matrix("Wi"),
                      from.numbered("Wh", from::matrix),
                      from.parameter("b"),
                      from.parameter("h0"),
                      from.parameter("c0"),
                      from.parameter("n0"),
                      from.parameter("m0"))),
          kind(
              SRUCell.class,
              SRUCell::matrices,
              from ->
                  new SRUCell(
                      from.matrix("Wi"),
                      from.parameter("vf"),
                      from.parameter("vr"),
                      from.parameter("bf"),
                      from.parameter("br"),
                      from.parameter("c0"))),
          kind(
              STARCell.class,
              STARCell::matrices,
              from ->
                  new STARCell(
                      from.matrix("Wi"),
                      from.matrix("Wh"),
                      from.parameter("b"),
                      from.parameter("h0"))),
          kind(
              UGRNNCell.class,
              UGRNNCell::matrices,
              from ->
                  new UGRNNCell(
                      from.matrix("Wi"),
                      from.matrix("Wh"),
                      from.parameter("b"),
                      from.parameter("h0"))));

  private CatalogueCells() {}

  /** A cell that the sizes of its parameters tell, under the name of its class. */
  private static <C extends Cell> Kind<C> kind(
      Class<C> type, Function<C, List<Matrix>> matrices, Function<Described, C> build) {
    return new Kind<>(
        type.getSimpleName(),
        type,
        (cell, to) -> to.put(cell.parameters(), matrices.apply(cell)),
        build);
  }
}
