package io.recur.hostile;

import static io.recur.nn.Layers.dense;
import static io.recur.nn.Layers.lstm;

import io.recur.nn.Join;
import io.recur.nn.Network;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** Networks of layers and what they are made of. */
final class NetworkSamples {
  private NetworkSamples() {}

  static void addTo(Samples samples) {
    samples
        .add(Network.class, "of two branches", NetworkSamples::network)
        .add(Network.class, "without memory", world -> branches())
        .add(Network.Node.class, "a layer", world -> Network.layer("b", dense(2, 2), "a"))
        .add(Network.Node.class, "a join", world -> Network.join("b", Join.ADD, "a", "a"))
        .add("java.util.Map<java.lang.String, java.lang.String>", "a", world -> Map.of("y", "a"))
        .add("java.util.Map<java.lang.String, java.lang.String>", "none", world -> Map.of())
        .addWithNull(
            "java.util.Map<java.lang.String, java.lang.String>",
            "null",
            world -> Collections.singletonMap("y", null));
  }

  private static Network branches() {
    return new Network(
        List.of("x"),
        List.of(
            Network.layer("reads", lstm(2, 2), "x"),
            Network.layer("sees", dense(2, 2), "x"),
            Network.join("both", Join.CONCATENATE, "reads", "sees")),
        List.of("both"));
  }

  private static Network network(World world) {
    Network network = branches();
    network.on(world.device(), 1);
    return network;
  }
}
