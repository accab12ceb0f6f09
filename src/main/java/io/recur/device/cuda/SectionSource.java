package io.recur.device.cuda;

import io.recur.device.cuda.PhaseParameters.Kind;
import io.recur.device.kernels.Binary;
import io.recur.device.kernels.CellProgram;
import io.recur.device.kernels.CellProgram.Weights;
import io.recur.device.kernels.Instruction;
import io.recur.device.kernels.Instruction.Affine;
import io.recur.device.kernels.Instruction.Combine;
import io.recur.device.kernels.Instruction.Constant;
import io.recur.device.kernels.Instruction.Derivative;
import io.recur.device.kernels.Instruction.Drop;
import io.recur.device.kernels.Instruction.Gather;
import io.recur.device.kernels.Instruction.Load;
import io.recur.device.kernels.Instruction.LoadRow;
import io.recur.device.kernels.Instruction.LoadScalar;
import io.recur.device.kernels.Instruction.LoadVector;
import io.recur.device.kernels.Instruction.Map;
import io.recur.device.kernels.Instruction.Store;
import io.recur.device.kernels.ProductSchedule;

/** The statements of a section for the value of row i and column j; value 3 is {@code v3}. */
final class SectionSource {
  private final CellProgram program;
  private final PhaseParameters phase;
  private final int rows;
  private final String indent;
  private final StringBuilder text = new StringBuilder();

  SectionSource(ProductSchedule schedule, PhaseParameters phase, int rows, String indent) {
    this.program = schedule.program();
    this.phase = phase;
    this.rows = rows;
    this.indent = indent;
  }

  String text() {
    return text.toString();
  }

  /** Adds the statement of an instruction. */
  void add(Instruction instruction) {
    switch (instruction) {
      case Load(int to, int array, int row, int lag) -> {
        String name = phase.name(Kind.ARRAY, array, lag, false);
        int height = phase.rows(array);
        value(to, within(row, height, "%s[j * %d + i%s]".formatted(name, height, plus(row))));
      }
      case LoadRow(int to, int array, int row, int lag) -> {
        String name = phase.name(Kind.ARRAY, array, lag, false);
        value(to, "%s[j * %d%s]".formatted(name, phase.rows(array), plus(row)));
      }
      case Store(int value, int array, int row, int lag) -> {
        String name = phase.name(Kind.ARRAY, array, lag, true);
        int height = phase.rows(array);
        String there = isThere(row, height);
        statement(
            "if (%1$s%2$s) %1$s[j * %3$d + i%4$s] = v%5$d;"
                .formatted(name, there.isEmpty() ? "" : " && " + there, height, plus(row), value));
      }
      case LoadVector(int to, int vector, int row) -> {
        String name = phase.name(Kind.VECTOR, vector, 0, false);
        int length = program.vectors().get(vector);
        value(to, within(row, length, "%s[i%s]".formatted(name, plus(row))));
      }
      case LoadScalar(int to, int vector, int row) ->
          value(to, "%s[%d]".formatted(phase.name(Kind.VECTOR, vector, 0, false), row));
      case Constant(int to, float number) -> value(to, number(number));
      case Gather gather -> add(gather);
      case Map(int to, var f, int a) -> value(to, "value_of_%s(v%d)".formatted(f.name(), a));
      case Derivative(int to, var f, int dy, int x, int y) ->
          value(to, "v%d * derivative_of_%s(%s, %s)".formatted(dy, f.name(), or(x), or(y)));
      case Affine(int to, int a, float factor, float constant) ->
          value(to, "%s * v%d + %s".formatted(number(factor), a, number(constant)));
      case Combine(int to, Binary f, int a, int b) ->
          value(to, "binary_of_%s(v%d, v%d)".formatted(f.name(), a, b));
      case Drop drop -> add(drop);
      default ->
          throw new IllegalArgumentException("schedule: " + instruction + " is left in a section");
    }
  }

  private void add(Gather gather) {
    Weights part = program.weights().get(gather.weights());
    int height = program.matrices().get(part.matrix()).rows();
    String classes = phase.name(Kind.CLASSES, 0, 0, false);
    String matrix = phase.name(Kind.MATRIX, part.matrix(), 0, false);
    String sum = gather.sum() == Instruction.NONE ? "" : "v" + gather.sum() + " + ";
    statement("uint32_t class%d = (uint32_t)%s[j];".formatted(gather.to(), classes));
    value(
        gather.to(),
        "%s(class%d < %d ? %s[(class%d + (int64_t)%d) * %d + i%s] : INFINITY - INFINITY)"
            .formatted(
                sum,
                gather.to(),
                part.columns(),
                matrix,
                gather.to(),
                part.column(),
                height,
                plus(part.row())));
  }

  private void add(Drop drop) {
    int draws = program.draws();
    String seeds = phase.name(Kind.SEEDS, draws, 0, false);
    value(
        drop.to(),
        "coin((uint64_t)%s[%d], j * %d + i%s) >= %d ? %s * v%d : 0.0f"
            .formatted(
                seeds,
                drop.draw(),
                drop.rows(),
                plus(drop.row()),
                (int) (drop.rate() * (1 << 24)),
                number(1 / (1 - drop.rate())),
                drop.a()));
  }

  private static String or(int value) {
    return value == Instruction.NONE ? "0.0f" : "v" + value;
  }

  /** What is read, or 0 in rows beyond those that are there. */
  private String within(int row, int height, String read) {
    String there = isThere(row, height);
    return there.isEmpty() ? read : there + " ? " + read + " : 0.0f";
  }

  /** The condition that there is such a row; empty where all rows are there. */
  private String isThere(int row, int height) {
    String low = row < 0 ? "i >= " + -row : "";
    String high = row + rows > height ? "i < " + (height - row) : "";
    return low + (low.isEmpty() || high.isEmpty() ? "" : " && ") + high;
  }

  private static String plus(int row) {
    return row == 0 ? "" : row > 0 ? " + " + row : " - " + -row;
  }

  /** A literal of exactly this float. */
  private static String number(float value) {
    return Float.isFinite(value)
        ? "(" + value + "f)"
        : "FLOAT(0x%08xu)".formatted(Float.floatToRawIntBits(value));
  }

  private void value(int to, String expression) {
    statement("float v%d = %s;".formatted(to, expression));
  }

  private void statement(String line) {
    text.append(indent).append(line).append('\n');
  }
}
