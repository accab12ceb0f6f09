package io.recur.train;

import io.recur.grad.Parameter;
import io.recur.io.Safetensors;
import io.recur.nn.Parameters;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What a {@link Fit} carries from pass to pass, and the file of it. */
final class FitState {
  private static final String BEST = "fit.best.";
  private static final String AVERAGE = "fit.average.";

  /** Passes since the training began. */
  int done;

  /** The least loss of a pass. */
  double bestLoss = Double.POSITIVE_INFINITY;

  /** Passes since the one with the least loss. */
  int waited;

  /** The weights of the pass with the least loss. */
  @Nullable Parameters best;

  /** Keeps weights as the best. */
  void keep(Parameters weights, double loss) {
    bestLoss = loss;
    if (best == null) {
      best = weights.copy();
    } else {
      best.copyFrom(weights);
    }
  }

  void save(Path file, Trainer trainer, @Nullable Plateau plateau) {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("fit.passes", Integer.toString(done));
    facts.put("fit.seed", Long.toString(trainer.seed()));
    facts.put("fit.loss", Double.toString(bestLoss));
    facts.put("fit.waited", Integer.toString(waited));
    Map<String, Parameter> copies = new LinkedHashMap<>();
    Average average = trainer.average();
    if (average != null) {
      facts.put("fit.updates", Long.toString(average.updates()));
      name(copies, AVERAGE, average.parameters());
    }
    if (best != null) {
      name(copies, BEST, best);
    }
    if (plateau != null) {
      facts.put("fit.plateau", plateau.save());
    }
    try {
      Checkpoint.save(file, trainer.model(), trainer.optimiser(), facts, copies);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void name(Map<String, Parameter> copies, String prefix, Parameters parameters) {
    parameters.named().forEach((name, parameter) -> copies.put(prefix + name, parameter));
  }

  /** Reads what {@link #save} has written; changes nothing where it throws. */
  void load(Path file, Trainer trainer, @Nullable Plateau plateau) throws IOException {
    Average average = trainer.average();
    try (Safetensors saved = Safetensors.read(file)) {
      Map<String, String> facts = saved.metadata();
      long passes = whole(file, facts, "fit.passes", Integer.MAX_VALUE);
      long losses = whole(file, facts, "fit.waited", Integer.MAX_VALUE);
      long updates = average == null ? 0 : whole(file, facts, "fit.updates", Long.MAX_VALUE);
      double loss = loss(file, facts.get("fit.loss"));
      refuseOther(file, "fit.seed", facts.get("fit.seed"), Long.toString(trainer.seed()));
      Map<String, Parameter> copies = new LinkedHashMap<>();
      Parameters kept = null;
      if (saved.tensors().keySet().stream().anyMatch(name -> name.startsWith(BEST))) {
        kept = trainer.parameters().copy();
        name(copies, BEST, kept);
      }
      if (average != null) {
        name(copies, AVERAGE, average.parameters());
      }
      String state = facts.get("fit.plateau");
      String before = plateau == null ? null : plateau.save();
      if (plateau != null) {
        plateau.restore(String.valueOf(state));
      } else {
        refuseOther(file, "fit.plateau", state, null);
      }
      try {
        Checkpoint.load(file, saved, trainer.model(), trainer.optimiser(), copies);
      } catch (IOException | RuntimeException e) {
        if (plateau != null && before != null) {
          plateau.restore(before);
        }
        throw e;
      }
      done = (int) passes;
      waited = (int) losses;
      bestLoss = loss;
      best = kept;
      if (average != null) {
        average.resume(updates);
      }
    }
  }

  private static void refuseOther(
      Path file, String name, @Nullable String found, @Nullable String wanted) {
    if (!Objects.equals(found, wanted)) {
      throw new IllegalArgumentException(
          "%s: %s=%s, here %s; resume with the settings of the training that was saved"
              .formatted(file, name, found, wanted));
    }
  }

  private static long whole(Path file, Map<String, String> facts, String name, long most) {
    String text = String.valueOf(facts.get(name));
    if (!text.matches("\\d{1,18}") || Long.parseLong(text) > most) {
      throw new IllegalArgumentException(
          "%s: %s=%s; need a file that saveTo(file) of such a training wrote"
              .formatted(file, name, text));
    }
    return Long.parseLong(text);
  }

  private static double loss(Path file, @Nullable String text) {
    if (text == null || !text.matches("Infinity|-?\\d[\\d.]{0,24}(E-?\\d{1,3})?")) {
      throw new IllegalArgumentException(
          "%s: fit.loss=%s; need a file that saveTo(file) of such a training wrote"
              .formatted(file, text));
    }
    return Double.parseDouble(text);
  }
}
