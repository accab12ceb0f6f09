package io.recur.io.onnx;

import java.util.List;
import java.util.stream.Stream;

/** The operators that are not recurrent. */
final class GeneralOperators {
  /** Each with its file's entries. */
  static final List<Operator> ALL =
      Stream.of(
              ArithmeticOperators.ALL,
              FunctionOperators.ALL,
              RearrangingOperators.ALL,
              List.of(Padding.PAD),
              ReductionOperators.ALL,
              NormOperators.ALL,
              SortOperators.ALL,
              ProductOperators.ALL,
              HostOperators.ALL,
              ControlOperators.ALL)
          .flatMap(List::stream)
          .toList();

  private GeneralOperators() {}
}
