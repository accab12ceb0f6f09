package io.recur.nn;

import io.recur.device.Device;
import io.recur.grad.Parameter;
import io.recur.grad.Shape;
import io.recur.grad.ShapeException;
import io.recur.grad.Tape;
import io.recur.grad.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Refuses a state that does not fit a cell, before anything has changed. */
record StateCheck(Cell cell, String label) {
  /** The device of the cell; a state0 that the model does not have has none. */
  Device device() {
    List<Parameter> all =
        Stream.concat(cell.parameters().stream(), cell.state0().stream()).toList();
    return all.stream().filter(Parameter::isPlaced).findFirst().orElse(all.getFirst()).device();
  }

  /** Refuses a snapshot of another cell; a snapshot may not know its kind. */
  void snapshot(String kind, List<Snapshot.Part> parts) {
    List<Integer> rows = parts.stream().map(Snapshot.Part::rows).toList();
    boolean fits = parts.isEmpty() || rows.equals(rows());
    if (!fits || !(kind.isEmpty() || kind.equals(label))) {
      throw new ShapeException(
          "restore: %s has a state of %s, the snapshot holds %s of %s; take it from the same model"
              .formatted(
                  label,
                  sizes(),
                  parts.stream().map(part -> part.rows() + "×" + part.batch()).toList(),
                  kind.isEmpty() ? "a Recur" : kind));
    }
  }

  /** The tape of a state that a user gives, if one of its parts is on one. */
  @Nullable Tape given(State given) {
    List<Tensor> parts = given.parts();
    List<Shape> shapes = parts.stream().map(Tensor::shape).toList();
    if (!shapes.stream().map(Shape::rows).toList().equals(rows())
        || !given.isOfBatch(given.batch())) {
      throw new ShapeException(
          "state: %s has a state of %s and is given %s; need its rows, and one batch"
              .formatted(label, sizes(), shapes));
    }
    Tape tape = null;
    for (Tensor part : parts) {
      tape = tape == null ? part.tape() : tape;
    }
    for (Tensor part : parts) {
      accept(tape, part);
    }
    if (tape != null && tape.isTracing()) {
      throw new IllegalStateException(
          label + ": its state is set inside a step; make that a part of the cell's state");
    }
    return tape;
  }

  /** A state from which a caller runs, as matrices. */
  State from(State start, int batch) {
    List<Parameter> wanted = cell.state0();
    boolean fits = start.parts().size() == wanted.size() && start.isOfBatch(batch);
    List<Tensor> matrices = new ArrayList<>(wanted.size());
    for (int i = 0; fits && i < wanted.size(); i++) {
      Tensor part = start.parts().get(i);
      fits = part.shape().rows() == wanted.get(i).shape().rows();
      matrices.add(State.matrix(part));
    }
    if (!fits) {
      throw new ShapeException(
          "from: %s has a state of %s and starts from %s; need its rows, and the batch %d of x"
              .formatted(
                  label, sizes(), start.parts().stream().map(Tensor::shape).toList(), batch));
    }
    return new State(matrices);
  }

  private void accept(@Nullable Tape tape, Tensor part) {
    String remedy = "";
    if (part.tape() != null && part.tape() != tape) {
      remedy = "another part is on another tape: take all from one tape";
    } else if (tape == null && part.isDifferentiable()) {
      remedy = "its gradient would be lost: give tape.use(parameter)";
    } else if (part.value().device() != device()) {
      remedy =
          "it is on %s: need one on %s"
              .formatted(part.device().nameBeside(device()), device().nameBeside(part.device()));
    }
    if (!remedy.isEmpty()) {
      throw new IllegalStateException(
          "state: %s is given a tensor %s; %s".formatted(label, part.shape(), remedy));
    }
  }

  /** The shapes of the parts of a state of as many columns. */
  List<Shape> shapes(int columns) {
    return rows().stream().map(part -> Shape.of(part, columns)).toList();
  }

  /** The rows of each part. */
  List<Integer> rows() {
    return cell.state0().stream().map(part -> part.shape().rows()).toList();
  }

  private List<Shape> sizes() {
    return cell.state0().stream().map(Tensor::shape).toList();
  }
}
