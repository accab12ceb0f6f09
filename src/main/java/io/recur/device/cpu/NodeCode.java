package io.recur.device.cpu;

import static io.recur.device.cpu.Code.NO_TILE;

import io.recur.device.kernels.Instruction;

/** The instruction of the C interpreter for a node that is not a product. */
final class NodeCode {
  private NodeCode() {}

  /**
   * Translates a node.
   *
   * @param to its tile
   * @param reads the tiles of what it reads
   */
  static Code of(Node node, int to, int[] reads, Tables program) {
    int a = reads.length > 0 ? reads[0] : NO_TILE;
    int b = reads.length > 1 ? reads[1] : NO_TILE;
    int c = reads.length > 2 ? reads[2] : NO_TILE;
    if (node.fused() == Node.SPREAD) {
      return new Code(Opcode.SPREAD).to(to).of(a, b, c);
    }
    if (node.fused() == Node.DERIVATIVE) {
      Instruction.Derivative i = (Instruction.Derivative) node.its();
      return new Code(Opcode.DERIVATIVE_OF_PRODUCT).function(i.f()).to(to).of(a, b, c);
    }
    if (node.fused() >= 0) {
      Code code = new Code(Opcode.FUSED).to(to).of(a, b, c);
      code.function = node.fused();
      return code;
    }
    return switch (node.its()) {
      case Instruction.Load i ->
          new Code(program.isInTiles(i.array()) ? Opcode.TAKE : Opcode.LOAD)
              .to(to)
              .at(i.array(), i.row(), i.lag());
      case Instruction.LoadRow i ->
          new Code(Opcode.LOAD_ROW).to(to).at(i.array(), i.row(), i.lag());
      case Instruction.Store i ->
          new Code(program.isInTiles(i.array()) ? Opcode.GIVE : Opcode.STORE)
              .to(NO_TILE)
              .of(a, NO_TILE, NO_TILE)
              .at(i.array(), i.row(), i.lag());
      case Instruction.LoadVector i ->
          new Code(Opcode.LOAD_VECTOR).to(to).at(i.vector(), i.row(), 0);
      case Instruction.LoadScalar i ->
          new Code(Opcode.LOAD_SCALAR).to(to).at(i.vector(), i.row(), 0);
      case Instruction.Constant i -> new Code(Opcode.CONSTANT).to(to).numbers(i.number(), 0);
      case Instruction.Gather i ->
          new Code(Opcode.GATHER)
              .to(to)
              .of(a == NO_TILE ? to : a, NO_TILE, NO_TILE)
              .at(i.weights(), 0, 0);
      case Instruction.Scatter i ->
          new Code(Opcode.SCATTER).to(NO_TILE).of(a, NO_TILE, NO_TILE).at(i.weights(), 0, 0);
      case Instruction.Map i -> new Code(Opcode.MAP).function(i.f()).to(to).of(a, b, c);
      case Instruction.Derivative i -> {
        // the one that the derivative does not need is read and not used
        int x = b == NO_TILE ? c == NO_TILE ? a : c : b;
        int y = c == NO_TILE ? x : c;
        yield new Code(Opcode.DERIVATIVE).function(i.f()).to(to).of(a, x, y);
      }
      case Instruction.Affine i ->
          new Code(Opcode.AFFINE).to(to).of(a, b, c).numbers(i.factor(), i.constant());
      case Instruction.Combine i -> new Code(Opcode.COMBINE).function(i.f()).to(to).of(a, b, c);
      case Instruction.Reduce i ->
          new Code(Opcode.REDUCE)
              .to(NO_TILE)
              .of(a, NO_TILE, NO_TILE)
              .at(i.reduction(), program.blocksBefore(i.reduction()), 0);
      case Instruction.Reduced i ->
          new Code(Opcode.REDUCED).to(to).at(i.reduction(), program.blocksBefore(i.reduction()), 0);
      case Instruction.Drop i -> {
        Code code = new Code(Opcode.DROP).to(to).of(a, NO_TILE, NO_TILE);
        code.b = i.rows();
        yield code.at(i.draw(), i.row(), 0).numbers(i.rate(), 0);
      }
      case Instruction.Product i -> throw new IllegalStateException("a product is in an item");
    };
  }
}
