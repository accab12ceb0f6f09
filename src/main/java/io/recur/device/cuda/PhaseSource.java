package io.recur.device.cuda;

import io.recur.device.cuda.PhaseParameters.Kind;
import io.recur.device.cuda.PhaseParameters.Parameter;
import io.recur.device.kernels.CellProgram.Section;
import io.recur.device.kernels.Instruction;
import io.recur.device.kernels.Instruction.Load;
import io.recur.device.kernels.Instruction.LoadRow;
import io.recur.device.kernels.Instruction.Reduce;
import io.recur.device.kernels.Instruction.Store;
import io.recur.device.kernels.ProductSchedule;
import io.recur.device.kernels.Reduction;
import io.recur.device.kernels.Values;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The source of one phase as a kernel, in the words of {@code native/cuda}. A thread stays in one
 * row and goes over columns. Where the phase reduces columns, a block goes over columns and its
 * threads over the rows, so that the order of a sum depends on the rows alone.
 */
final class PhaseSource {
  private static final int LEAST_THREADS = 32;

  private final ProductSchedule schedule;
  private final ProductSchedule.Pass pass;
  private final ProductSchedule.Phase phase;
  private final PhaseParameters parameters;
  private final int rows;
  private final boolean isByColumn;
  private final StringBuilder text = new StringBuilder();

  PhaseSource(ProductSchedule schedule, ProductSchedule.Pass pass, ProductSchedule.Phase phase) {
    this.schedule = schedule;
    this.pass = pass;
    this.phase = phase;
    this.parameters = new PhaseParameters(schedule, pass);
    this.rows = phase.sections().stream().mapToInt(Section::rows).max().orElseThrow();
    this.isByColumn =
        phase.sections().stream()
            .flatMap(section -> section.instructions().stream())
            .anyMatch(Reduce.class::isInstance);
    StringBuilder body = new StringBuilder();
    for (Section section : phase.sections()) {
      body.append(isByColumn ? byColumn(section) : byRow(section));
    }
    begin();
    if (isByColumn) {
      text.append("  SHARED(double, sums, MOST_THREADS);\n  SHARED(float, tops, MOST_THREADS);\n");
      text.append("  (void)sums, (void)tops;\n");
      text.append("  for (int64_t j = BLOCK; j < batch; j += BLOCKS) {\n");
      text.append(body).append("  }\n}\n\n");
    } else {
      text.append(body).append("}\n\n");
    }
    int count = parameters().size();
    if (count >= Launch.MOST_ARGUMENTS) {
      throw new IllegalArgumentException(
          "cuda: a phase with %d arrays, vectors and matrices; a kernel takes %d: store fewer values"
              .formatted(count, Launch.MOST_ARGUMENTS - 1));
    }
  }

  /** {@return the number of the phase in its schedule} */
  int number() {
    return phase.number();
  }

  String symbol() {
    return "recur_phase_" + phase.number();
  }

  String text() {
    return text.toString();
  }

  /** {@return the parameters after the first, which is the batch} */
  List<Parameter> parameters() {
    return parameters.list();
  }

  /** {@return the most rows of a section} */
  int rows() {
    return rows;
  }

  /** {@return whether a block takes one column at a time} */
  boolean isByColumn() {
    return isByColumn;
  }

  /** {@return the threads of a block that takes one column at a time} */
  int threads() {
    int most = Integer.highestOneBit(2 * Math.max(1, rows) - 1);
    return Math.clamp(most, LEAST_THREADS, Launch.BLOCK);
  }

  private void begin() {
    List<String[]> all = new ArrayList<>();
    all.add(new String[] {"int64_t", "batch"});
    parameters().forEach(p -> all.add(new String[] {p.type(), p.name()}));
    text.append("LISTED(").append(symbol()).append(", ").append(all.size());
    for (String macro : List.of("PARAMETER", "ARGUMENT", "SIZE")) {
      text.append(",\n    (");
      for (int i = 0; i < all.size(); i++) {
        text.append(i == 0 ? "" : ", ")
            .append(
                "%s(%d, %s, %s)".formatted(macro, all.size() - i, all.get(i)[0], all.get(i)[1]));
      }
      text.append(")");
    }
    text.append(")\n{\n");
  }

  private String byRow(Section section) {
    SectionSource values = new SectionSource(schedule, parameters, section.rows(), "      ");
    ordered(section.instructions()).forEach(values::add);
    return """
          {
            tile at = tile_of(%1$d);
            ROLLED
            OVER_COLUMNS(at, %1$d, batch) {
              int64_t i = at.row, j = at.column;
              (void)i, (void)j;
        %2$s    }
          }
        """
        .formatted(section.rows(), values.text());
  }

  /** Loads before stores, so that reads need not wait for writes, unless a load reads a store. */
  private static List<Instruction> ordered(List<Instruction> instructions) {
    Set<Integer> stored = new HashSet<>();
    for (Instruction instruction : instructions) {
      int read =
          switch (instruction) {
            case Load load -> load.array();
            case LoadRow load -> load.array();
            default -> Instruction.NONE;
          };
      if (stored.contains(read)) {
        return instructions;
      }
      if (instruction instanceof Store store) {
        stored.add(store.array());
      }
    }
    List<Instruction> ordered = new ArrayList<>(instructions);
    ordered.removeIf(Store.class::isInstance);
    instructions.stream().filter(Store.class::isInstance).forEach(ordered::add);
    return ordered;
  }

  private String byColumn(Section section) {
    StringBuilder block = new StringBuilder("    {\n");
    List<Reduce> reduces = new ArrayList<>();
    List<Instruction> others = new ArrayList<>();
    for (Instruction instruction : section.instructions()) {
      if (instruction instanceof Reduce reduce) {
        reduces.add(reduce);
      } else {
        others.add(instruction);
      }
    }
    List<Reduce> variances = reduces.stream().filter(r -> kind(r) == Reduction.VARIANCE).toList();
    for (Reduce variance : variances) {
      block.append(mean(section, others, variance));
    }
    for (Reduce reduce : reduces) {
      String first =
          kind(reduce) == Reduction.MAX ? "float part%d = -INFINITY" : "double part%d = 0";
      block.append("      ").append(first.formatted(reduce.reduction())).append(";\n");
    }
    block.append("      ROLLED\n      WITHIN(i, ").append(section.rows()).append(") {\n");
    SectionSource values = new SectionSource(schedule, parameters, section.rows(), "        ");
    ordered(others).forEach(values::add);
    block.append(values.text());
    reduces.forEach(reduce -> block.append("        ").append(term(reduce)));
    block.append("      }\n");
    reduces.forEach(reduce -> block.append(result(section, reduce)));
    return block.append("    }\n").toString();
  }

  private Reduction kind(Reduce reduce) {
    return schedule.program().reductions().get(reduce.reduction()).kind();
  }

  /** A pass over the rows before the one that stores. */
  private String mean(Section section, List<Instruction> others, Reduce variance) {
    SectionSource values = new SectionSource(schedule, parameters, section.rows(), "        ");
    Values.needed(others, variance.value()).forEach(values::add);
    return """
              double mean%1$d = 0;
              ROLLED
              WITHIN(i, %2$d) {
        %3$s        mean%1$d += v%4$d;
              }
              mean%1$d = sum_of_group(sums, THREADS, mean%1$d) / %2$d;
        """
        .formatted(variance.reduction(), section.rows(), values.text(), variance.value());
  }

  private String term(Reduce reduce) {
    int its = reduce.reduction();
    return switch (kind(reduce)) {
      case SUM, MEAN -> "part%d += v%d;\n".formatted(its, reduce.value());
      case MAX -> "part%1$d = larger(v%2$d, part%1$d);\n".formatted(its, reduce.value());
      case VARIANCE ->
          "part%1$d += (v%2$d - mean%1$d) * (v%2$d - mean%1$d);\n".formatted(its, reduce.value());
    };
  }

  private String result(Section section, Reduce reduce) {
    int its = reduce.reduction();
    String name = parameters.name(Kind.ARRAY, pass.reductions().get(its), 0, true);
    String sum =
        switch (kind(reduce)) {
          case SUM -> "(float)sum_of_group(sums, THREADS, part%d)".formatted(its);
          case MAX -> "top_of_group(tops, THREADS, part%d)".formatted(its);
          case MEAN, VARIANCE ->
              "(float)(sum_of_group(sums, THREADS, part%d) / %d)".formatted(its, section.rows());
        };
    return "      float reduced%1$d = %2$s;\n      if (THREAD == 0) %3$s[j] = reduced%1$d;\n"
        .formatted(its, sum, name);
  }
}
