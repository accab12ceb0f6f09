package io.recur.device.kernels;

import io.recur.device.kernels.CellProgram.Section;
import io.recur.device.kernels.CellProgram.Weights;
import io.recur.device.kernels.ProductSchedule.Call;
import io.recur.device.kernels.ProductSchedule.Phase;
import io.recur.device.kernels.ProductSchedule.Scatter;
import io.recur.device.kernels.ProductSchedule.Space;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Makes the schedule of one pass: products, scatters and reductions become arrays. */
final class PassScheduler {
  static final int NONE = -1;

  final CellProgram program;
  final CellProgram.Pass pass;
  private final int firstNumber;
  final List<Part> parts = new ArrayList<>();
  private final List<Space> spaces = new ArrayList<>();
  final List<Call> hoisted = new ArrayList<>();
  private final List<List<Call>> calls = new ArrayList<>();
  private final List<Scatter> scatters = new ArrayList<>();
  private final List<Integer> reductions;
  private int classes = Integer.MAX_VALUE;

  /** A section on its way. The phases of the end have the numbers after those of a step. */
  static final class Part {
    final int phase;
    final boolean isEnd;
    final int rows;
    List<Instruction> instructions;
    private int values;

    Part(int phase, boolean isEnd, Section section) {
      this.phase = phase;
      this.isEnd = isEnd;
      this.rows = section.rows();
      this.instructions = new ArrayList<>(section.instructions());
      this.values = Values.count(section.instructions());
    }

    /** {@return the number of a new value} */
    int value() {
      return values++;
    }

    /** {@return the instruction that writes a value} */
    Instruction definition(int value) {
      return instructions.stream()
          .filter(i -> i.to() == value)
          .findFirst()
          .orElseThrow(() -> new IllegalArgumentException("program: value " + value + " of none"));
    }
  }

  PassScheduler(CellProgram program, CellProgram.Pass pass, int firstNumber) {
    this.program = program;
    this.pass = pass;
    this.firstNumber = firstNumber;
    this.reductions = new ArrayList<>(Collections.nCopies(program.reductions().size(), NONE));
    take(pass.phases(), 0, false);
    take(pass.end(), pass.phases().size(), true);
  }

  private void take(List<CellProgram.Phase> phases, int first, boolean isEnd) {
    for (int i = 0; i < phases.size(); i++) {
      calls.add(new ArrayList<>());
      for (Section section : phases.get(i).sections()) {
        parts.add(new Part(first + i, isEnd, section));
      }
    }
  }

  ProductSchedule.Pass pass() {
    for (Part part : parts) {
      part.instructions.replaceAll(instruction -> withSpaces(part, instruction));
    }
    new StoredProducts(this).take();
    new MergedProducts(this).take();
    int steps = pass.phases().size();
    List<Phase> phases = new ArrayList<>();
    for (int i = 0; i < calls.size(); i++) {
      phases.add(new Phase(firstNumber + i, List.copyOf(calls.get(i)), sections(i)));
    }
    return new ProductSchedule.Pass(
        List.copyOf(spaces),
        List.copyOf(hoisted),
        List.copyOf(phases.subList(0, steps)),
        List.copyOf(phases.subList(steps, phases.size())),
        List.copyOf(scatters),
        List.copyOf(reductions),
        classes);
  }

  /** {@return the calls of a phase, to be added to} */
  List<Call> calls(int phase) {
    return calls.get(phase);
  }

  /** {@return the number of a new array in scratch memory} */
  int space(int rows, boolean everyStep) {
    spaces.add(new Space(rows, everyStep));
    return program.arrays().size() + spaces.size() - 1;
  }

  private List<Section> sections(int phase) {
    List<Section> sections = new ArrayList<>();
    for (Part part : parts) {
      if (part.phase == phase) {
        List<Instruction> needed = Values.needed(part.instructions);
        if (!needed.isEmpty()) {
          sections.add(new Section(part.rows, needed));
        }
      }
    }
    return List.copyOf(sections);
  }

  private Instruction withSpaces(Part part, Instruction instruction) {
    return switch (instruction) {
      case Instruction.Reduce reduce -> {
        if (reductions.get(reduce.reduction()) == NONE) {
          reductions.set(reduce.reduction(), space(1, false));
        }
        yield reduce;
      }
      case Instruction.Reduced(int to, int reduction) ->
          new Instruction.LoadRow(to, reductions.get(reduction), 0, 0);
      case Instruction.Gather gather -> {
        classes = Math.min(classes, program.weights().get(gather.weights()).columns());
        yield gather;
      }
      case Instruction.Scatter(int value, int weights) -> {
        Weights part2 = program.weights().get(weights);
        classes = Math.min(classes, part2.columns());
        yield new Instruction.Store(value, columnsOf(part2), part2.row(), 0);
      }
      default -> instruction;
    };
  }

  /** {@return the array of the columns that are added to a matrix} */
  private int columnsOf(Weights weights) {
    int rows = program.matrices().get(weights.matrix()).rows();
    for (Scatter scatter : scatters) {
      if (scatter.matrix() == weights.matrix()
          && scatter.column() == weights.column()
          && scatter.columns() == weights.columns()) {
        return scatter.array();
      }
    }
    Scatter scatter =
        new Scatter(
            space(rows, true),
            scattered(weights) == rows,
            weights.matrix(),
            weights.column(),
            weights.columns());
    scatters.add(scatter);
    return scatter.array();
  }

  /** {@return the rows of a matrix whose gradients the pass scatters to these columns} */
  private int scattered(Weights weights) {
    int rows = 0;
    for (Part part : parts) {
      for (Instruction instruction : part.instructions) {
        if (instruction instanceof Instruction.Scatter scatter) {
          Weights other = program.weights().get(scatter.weights());
          rows +=
              other.matrix() == weights.matrix()
                      && other.column() == weights.column()
                      && other.columns() == weights.columns()
                  ? other.rows()
                  : 0;
        }
      }
    }
    return rows;
  }
}
