package io.recur.nn;

import io.recur.device.Buffer;
import io.recur.device.Device;
import io.recur.grad.Parameter;
import io.recur.grad.ShapeException;
import io.recur.grad.Slabs;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The parameters of a model, each once, with their memory.
 *
 * <p>Parameters that were placed together share one slab, and their gradients a second one: a pass
 * over all of them is a pass over few {@linkplain Span spans}, as a rule one.
 *
 * <pre>{@code
 * Parameters parameters = model.parameters();
 * parameters.zeroGradients();
 * long count = parameters.count();
 * }</pre>
 */
public final class Parameters implements Iterable<Parameter> {
  /**
   * Adjacent parameters: their values and gradients, padding included.
   *
   * @param slabs the memory that they are a part of
   * @param values the values
   * @param gradients the gradients, of the same length
   */
  public record Span(Slabs slabs, Buffer values, Buffer gradients) {
    /**
     * The length.
     *
     * @return words, padding included
     */
    public long floats() {
      return values.floats();
    }
  }

  /**
   * A part of a span that optimisers change: none of its parameters is frozen.
   *
   * @param span the number of its span in {@link #spans}
   * @param offset its first value in that span
   * @param memory its values and gradients
   */
  public record Part(int span, long offset, Span memory) {}

  private final Map<String, Parameter> named;

  /** The parameters once more: a step asks each of them, without an iterator. */
  private final Parameter[] all;

  private @Nullable List<Span> spans;
  private List<Part> parts = List.of();

  /** Which parameters were frozen when the parts were made. */
  private @Nullable BitSet frozen;

  private Parameters(Map<String, Parameter> named) {
    this.named = named;
    this.all = named.values().toArray(Parameter[]::new);
  }

  static Parameters of(Layer model) {
    Map<String, Parameter> named = new LinkedHashMap<>();
    Set<Parameter> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    List<Layer> owners = model.all().stream().filter(layer -> !layer.own().isEmpty()).toList();
    for (int i = 0; i < owners.size(); i++) {
      for (Parameter parameter : owners.get(i).own()) {
        if (seen.add(parameter)) {
          String name = owners.size() == 1 ? parameter.name() : i + "." + parameter.name();
          String unique = name;
          for (int n = named.size(); named.containsKey(unique); n++) {
            unique = name + "." + n;
          }
          named.put(unique, parameter);
        }
      }
    }
    return new Parameters(named);
  }

  /**
   * The parameters by name: the number of the layer among those with parameters, and the name
   * within it.
   *
   * @return such as {@code 0.Wi} to a parameter, in order
   */
  public Map<String, Parameter> named() {
    return Collections.unmodifiableMap(named);
  }

  @Override
  public Iterator<Parameter> iterator() {
    return named().values().iterator();
  }

  /** {@return the number of trainable arrays} */
  public int arrays() {
    return (int) named.values().stream().filter(Parameter::isTrainable).count();
  }

  /** {@return the number of trainable values} */
  public long count() {
    return named.values().stream()
        .filter(Parameter::isTrainable)
        .mapToLong(p -> p.shape().count())
        .sum();
  }

  /** Places those without memory, with the initial values of a seed. */
  void place(Device device, long seed) {
    Placing.place(named, device, OptionalLong.of(seed));
  }

  /**
   * Gives the parameters that have no memory zeros in place of their initial values, for a model
   * whose values are read next: to draw them can take longer than to read them. A fixed parameter
   * gets its value.
   *
   * @param device where the memory is allocated
   * @throws IllegalStateException if a parameter is on another device
   */
  public void reserve(Device device) {
    Placing.place(named, device, OptionalLong.empty());
  }

  /**
   * The memory of the trainable parameters in as few spans as possible.
   *
   * @return spans in order
   * @throws IllegalStateException if a parameter has no memory yet
   */
  public List<Span> spans() {
    List<Span> known = spans;
    if (known == null) {
      known = merge();
      spans = known;
    }
    return known;
  }

  private List<Span> merge() {
    List<Span> merged = new ArrayList<>();
    Parameter.Placement run = null;
    for (Parameter parameter : this) {
      if (!parameter.isTrainable()) {
        continue;
      }
      Parameter.Placement next = parameter.placement();
      if (run != null
          && run.slabs() == next.slabs()
          && run.offset() + run.length() == next.offset()) {
        next = new Parameter.Placement(run.slabs(), run.offset(), run.length() + next.length());
      } else if (run != null) {
        merged.add(span(run));
      }
      run = next;
    }
    if (run != null) {
      merged.add(span(run));
    }
    return List.copyOf(merged);
  }

  private static Span span(Parameter.Placement placement) {
    return new Span(
        placement.slabs(),
        placement.slabs().values().slice(placement.offset(), placement.length()),
        placement.slabs().gradients().slice(placement.offset(), placement.length()));
  }

  /**
   * The memory of the trainable parameters that are not {@linkplain Parameter#freeze frozen}.
   *
   * @return one part per span where none is frozen
   * @throws IllegalStateException if a parameter has no memory yet
   */
  public List<Part> unfrozen() {
    if (frozen == null || !isFrozenAs(frozen)) {
      BitSet now = new BitSet();
      for (int i = 0; i < all.length; i++) {
        now.set(i, all[i].isFrozen());
      }
      parts = parts(spans());
      frozen = now;
    }
    return parts;
  }

  private boolean isFrozenAs(BitSet before) {
    for (int i = 0; i < all.length; i++) {
      if (all[i].isFrozen() != before.get(i)) {
        return false;
      }
    }
    return true;
  }

  private List<Part> parts(List<Span> spans) {
    List<Part> found = new ArrayList<>();
    int span = 0;
    long at = 0;
    long from = 0;
    for (Parameter parameter : this) {
      if (parameter.isTrainable()) {
        long end = at + parameter.placement().length();
        if (parameter.isFrozen()) {
          add(found, spans, span, from, at);
          from = end;
        }
        at = end;
        if (at == spans.get(span).floats()) {
          add(found, spans, span, from, at);
          span++;
          from = 0;
          at = 0;
        }
      }
    }
    return List.copyOf(found);
  }

  private static void add(List<Part> parts, List<Span> spans, int span, long from, long to) {
    if (to > from) {
      Span whole = spans.get(span);
      Span memory =
          to - from == whole.floats()
              ? whole
              : new Span(
                  whole.slabs(),
                  whole.values().slice(from, to - from),
                  whole.gradients().slice(from, to - from));
      parts.add(new Part(span, from, memory));
    }
  }

  /**
   * Freezes every parameter, see {@link Parameter#freeze}. It freezes a part of a model by the
   * parameters of one layer.
   *
   * <pre>{@code
   * model.layers().get(0).parameters().freeze();
   * }</pre>
   */
  public void freeze() {
    named.values().forEach(Parameter::freeze);
  }

  /** Lets optimisers change every parameter again. */
  public void unfreeze() {
    named.values().forEach(Parameter::unfreeze);
  }

  /**
   * Copies all parameters to new memory on their device: the best weights of a training, say, or an
   * average of them. {@link #copyFrom} brings them back.
   *
   * <pre>{@code
   * Parameters best = model.parameters().copy();
   * model.parameters().copyFrom(best);
   * }</pre>
   *
   * @return parameters of the same names, shapes and values, with gradients of zero; they live as
   *     long as their device
   * @throws IllegalStateException if a parameter has no memory yet
   */
  public Parameters copy() {
    named.values().forEach(Parameter::placement);
    Map<String, Parameter> copies = new LinkedHashMap<>();
    named.forEach((name, mine) -> copies.put(name, mine.alike()));
    Parameters copy = new Parameters(copies);
    if (!named.isEmpty()) {
      Placing.placeAll(copies.values(), iterator().next().device(), OptionalLong.empty());
    }
    copy.copyFrom(this);
    return copy;
  }

  /**
   * Copies the values of another model of the same structure, bit for bit, from the same or another
   * device. So a trained model comes to another device. Gradients stay as they are.
   *
   * <pre>{@code
   * try (Device cpu = Device.cpu()) {
   *   Chain twin = chain(lstm(10, 15), dense(15, 5)).on(cpu, 0);
   *   twin.parameters().copyFrom(model.parameters());
   *   twin.restore(model.save());                       // the states too
   * }
   * }</pre>
   *
   * @param other parameters of a model of the same structure
   * @throws ShapeException if it has other parameters; nothing has then changed
   * @throws IllegalStateException if a parameter of either has no memory yet
   */
  public void copyFrom(Parameters other) {
    for (Map.Entry<String, Parameter> mine : named.entrySet()) {
      Parameter its = other.named.get(mine.getKey());
      mine.getValue().placement();
      if (its == null || !its.shape().equals(mine.getValue().shape())) {
        throw new ShapeException(
            "copyFrom: parameter %s is %s here and %s there; build both models alike"
                .formatted(
                    mine.getKey(), mine.getValue().shape(), its == null ? "none" : its.shape()));
      }
      its.placement();
    }
    if (other.named.size() != named.size()) {
      throw new ShapeException(
          "copyFrom: %d parameters here, %d there; build both models alike"
              .formatted(named.size(), other.named.size()));
    }
    named.forEach((name, mine) -> copy(other.named.get(name), mine));
  }

  private static void copy(Parameter from, Parameter to) {
    if (from.device() == to.device()) {
      from.device().pointwise().copy(from.value(), to.value(), from.shape().count());
    } else {
      to.value().write(from.toArray());
    }
  }

  /** {@return the number of arrays and values, then each parameter's name and shape} */
  @Override
  public String toString() {
    return "Parameters(%d trainable arrays, %d values: %s)"
        .formatted(arrays(), count(), Names.withShapes(named));
  }

  /**
   * Sets all gradients to zero.
   *
   * @throws IllegalStateException if another thread is inside a backward pass that reaches them
   */
  public void zeroGradients() {
    List<Span> known = spans();
    for (int i = 0; i < known.size(); i++) {
      try (var _ = known.get(i).slabs().enter()) {
        Buffer gradients = known.get(i).gradients();
        gradients.device().pointwise().fill(0, gradients, gradients.floats());
      }
    }
  }
}
