package io.recur.nn;

import io.recur.device.Device;
import io.recur.grad.Parameter;
import io.recur.grad.Slabs;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * Gives parameters their memory: the trainable ones in one new slab, each fixed one alone. One that
 * a layer writes in its forward pass then leaves what an earlier layer has recorded valid.
 */
final class Placing {
  /** Locked while parameters are placed: models may share some. */
  private static final Object PLACING = new Object();

  private Placing() {}

  /** Places those without memory, with the initial values of a seed, or with zeros without one. */
  static void place(Map<String, Parameter> named, Device device, OptionalLong seed) {
    List<String> unnamed = Names.missing(named);
    synchronized (PLACING) {
      placeAll(named.values(), device, seed);
    }
    Names.tell(unnamed);
  }

  /** The same for parameters that nobody else knows. */
  static void placeAll(Collection<Parameter> parameters, Device device, OptionalLong seed) {
    for (Parameter parameter : parameters) {
      if (parameter.isPlaced() && parameter.device() != device) {
        throw new IllegalStateException(
            """
            on: parameter %s %s is on %s, not on %s; it stays where it is: build a model alike there \
            and call its parameters().copyFrom(…)"""
                .formatted(
                    parameter.name(),
                    parameter.shape(),
                    parameter.device().nameBeside(device),
                    device.nameBeside(parameter.device())));
      }
    }
    List<Parameter> missing = parameters.stream().filter(p -> !p.isPlaced()).toList();
    if (missing.isEmpty()) {
      seed.ifPresent(value -> refuseOther(parameters, value));
      return;
    }
    List<Parameter> learned = missing.stream().filter(Parameter::isTrainable).toList();
    if (!learned.isEmpty()) {
      Slabs.place(device, seed, learned);
    }
    missing.stream().filter(p -> !p.isTrainable()).forEach(p -> p.on(device));
  }

  /** Refuses another seed than that from which the parameters, all placed, have their values. */
  private static void refuseOther(Collection<Parameter> parameters, long seed) {
    for (Parameter parameter : parameters) {
      OptionalLong its = parameter.placement().slabs().seed();
      if (its.isPresent() && its.getAsLong() != seed) {
        throw new IllegalStateException(
            "on: seed=%d, and parameter %s %s has its value from seed=%d; build another model for"
                    .formatted(seed, parameter.name(), parameter.shape(), its.getAsLong())
                + " other values");
      }
    }
  }
}
