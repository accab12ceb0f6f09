package io.recur.device.cuda;

import io.recur.device.kernels.ProductSchedule;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What the kernel of a phase reads and writes, in the order in which its source first names it. */
final class PhaseParameters {
  private final ProductSchedule schedule;
  private final ProductSchedule.Pass pass;
  private final Map<String, Parameter> parameters = new LinkedHashMap<>();

  PhaseParameters(ProductSchedule schedule, ProductSchedule.Pass pass) {
    this.schedule = schedule;
    this.pass = pass;
  }

  /** What a parameter points to. */
  enum Kind {
    /** The matrix of an array at step t + lag. */
    ARRAY,
    VECTOR,
    MATRIX,
    /** The classes of step t. */
    CLASSES,
    /** The seeds of step t; the number is that of the draws per step. */
    SEEDS
  }

  /**
   * A parameter of the kernel, after the batch.
   *
   * @param number of the array, vector or matrix
   */
  record Parameter(Kind kind, int number, int lag, boolean isWritten, String name) {
    String type() {
      return switch (kind) {
        case CLASSES -> "const int32_t *";
        case SEEDS -> "const int64_t *";
        default -> isWritten ? "float *" : "const float *";
      };
    }
  }

  /** {@return all parameters, without the batch} */
  List<Parameter> list() {
    return List.copyOf(parameters.values());
  }

  /** {@return the name of a parameter, which is added where it is new} */
  String name(Kind kind, int number, int lag, boolean isWritten) {
    String name = kind.name().toLowerCase(Locale.ROOT) + number + place(kind, lag);
    Parameter known = parameters.get(name);
    boolean both = isWritten || known != null && known.isWritten();
    parameters.put(name, new Parameter(kind, number, lag, both, name));
    return name;
  }

  private static String place(Kind kind, int lag) {
    return kind != Kind.ARRAY || lag == 0 ? "" : lag < 0 ? "_less" + -lag : "_plus" + lag;
  }

  /** {@return the rows of an array} */
  int rows(int array) {
    return schedule.rows(pass, array);
  }
}
