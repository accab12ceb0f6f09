package io.recur.device.cpu;

import io.recur.bindings.kernels.recur_instruction;
import java.lang.foreign.MemorySegment;

/** An instruction of the C interpreter on its way into native memory. */
final class Code implements Row {
  /** In place of a tile, where there is none. */
  static final int NO_TILE = Integer.MIN_VALUE;

  final Opcode opcode;
  int function;
  int to = NO_TILE;
  int a = NO_TILE;
  int b = NO_TILE;
  int c = NO_TILE;
  int array;
  int row;
  int lag;
  int length;
  float p;
  float q;

  Code(Opcode opcode) {
    this.opcode = opcode;
  }

  Code to(int tile) {
    to = tile;
    return this;
  }

  Code of(int first, int second, int third) {
    a = first;
    b = second;
    c = third;
    return this;
  }

  Code function(Enum<?> its) {
    function = its.ordinal();
    return this;
  }

  Code at(int number, int firstRow, int later) {
    array = number;
    row = firstRow;
    lag = later;
    return this;
  }

  Code numbers(float first, float second) {
    p = first;
    q = second;
    return this;
  }

  /** Numbers its tiles as C does. */
  void number() {
    to = inC(to);
    a = inC(a);
    b = inC(b);
    c = inC(c);
  }

  static int inC(int tile) {
    return tile >= 0 ? tile : tile == NO_TILE ? -1 : tile - 1;
  }

  @Override
  public void write(MemorySegment its) {
    recur_instruction.code(its, opcode.ordinal());
    recur_instruction.function(its, function);
    recur_instruction.to(its, to);
    recur_instruction.a(its, a);
    recur_instruction.b(its, b);
    recur_instruction.c(its, c);
    recur_instruction.array(its, array);
    recur_instruction.row(its, row);
    recur_instruction.lag(its, lag);
    recur_instruction.length(its, length);
    recur_instruction.p(its, p);
    recur_instruction.q(its, q);
  }
}
