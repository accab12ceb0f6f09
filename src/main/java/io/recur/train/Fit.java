package io.recur.train;

import io.recur.grad.Tape;
import io.recur.nn.Parameters;
import io.recur.train.show.Bar;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.DoubleSupplier;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * A training of several passes with a validation after each, which {@link Trainer#fit} makes. It
 * stops early, keeps the best weights in memory, and continues bit for bit from the file of its
 * last pass: the order of the examples, patience, averages and the {@link Plateau} included.
 *
 * <pre>{@code
 * Batches train = Batches.carried(streams.chunks(), (tape, chunk) ->
 *     crossEntropy(model.apply(streams.input(tape, chunk[0])), streams.target(tape, chunk[0])));
 * Fit fit = new Trainer(model, new Adam(0.002f), tape).fit(train)
 *     .patience(3)
 *     .log(Path.of("training.csv"))
 *     .progressBar(System.err)
 *     .progress(System.err::println);
 * fit.run(100);
 * fit.restoreBest();
 * }</pre>
 */
public final class Fit {
  private final Trainer trainer;
  private final Batches train;
  private final @Nullable Batches validation;
  private final Map<String, DoubleSupplier> measures = new LinkedHashMap<>();
  private final List<Confusion> confusions = new ArrayList<>();
  private @Nullable Plateau plateau;
  private int patience = Integer.MAX_VALUE;
  private Listener listener = pass -> true;
  private Consumer<Pass> show = pass -> {};
  private @Nullable Path file;
  private @Nullable CsvLog log;
  private final Shown shown = new Shown();

  private final FitState state = new FitState();

  /**
   * A pass that is done.
   *
   * @param number the number of passes since the training began, this one included
   * @param step the steps of the optimiser since the training began
   * @param loss the mean of the losses of the pass's steps
   * @param validation the mean loss over the validation's examples; NaN without a validation
   * @param measures the measures of the validation by name
   * @param rate the learning rate of the last step
   * @param isBest whether the loss is the least of all passes
   */
  public record Pass(
      int number,
      long step,
      double loss,
      double validation,
      Map<String, Double> measures,
      float rate,
      boolean isBest) {
    /** Copies the measures, in their order. */
    public Pass {
      measures = Collections.unmodifiableMap(new LinkedHashMap<>(measures));
    }

    /**
     * {@return e to the validation's loss: the perplexity, where that is a cross entropy in nats}
     */
    public double perplexity() {
      return Math.exp(validation);
    }

    /** {@return one line of text} */
    @Override
    public String toString() {
      StringBuilder text =
          new StringBuilder(text("pass %d  step %d  loss %.6g", number, step, loss));
      if (!Double.isNaN(validation)) {
        text.append(text("  validation %.6g", validation));
      }
      measures.forEach((name, value) -> text.append(text("  %s %.4f", name, value)));
      return text.append(text("  rate %.3g", rate)).append(isBest ? "  best" : "").toString();
    }

    private static String text(String format, Object... values) {
      return String.format(Locale.ROOT, format, values);
    }
  }

  /** Receives each pass. */
  @FunctionalInterface
  public interface Listener {
    /**
     * Receives a pass after its validation, and after it was saved.
     *
     * @param pass what happened
     * @return true to continue, false to stop the training
     */
    boolean after(Pass pass);
  }

  Fit(Trainer trainer, Batches train, @Nullable Batches validation) {
    this.trainer = trainer;
    this.train = Objects.requireNonNull(train);
    this.validation = validation;
  }

  /**
   * Stops the training once the loss was not the least so far for this many passes in a row. The
   * loss is the validation's; without a validation it is that of the training.
   *
   * @param passes 1 or more
   * @return this
   * @throws IllegalArgumentException if the number is less than 1
   */
  public Fit patience(int passes) {
    if (passes < 1) {
      throw new IllegalArgumentException("fit: patience=" + passes + "; need 1 or more passes");
    }
    this.patience = passes;
    return this;
  }

  /**
   * Gives a plateau the loss after each pass. It becomes the trainer's schedule if the trainer has
   * none.
   *
   * @param plateau the plateau
   * @return this
   */
  public Fit plateau(Plateau plateau) {
    this.plateau = Objects.requireNonNull(plateau);
    trainer.scheduleIfNone(plateau);
    return this;
  }

  /**
   * Measures the validation: the loss of its batches adds to a confusion, which is cleared before
   * each validation.
   *
   * @param name the measure's name in {@link Pass#measures} and in the log
   * @param confusion what the validation's batches add to
   * @param measure of the confusion, such as {@code Confusion::accuracy}
   * @return this
   */
  public Fit measure(String name, Confusion confusion, ToDoubleFunction<Confusion> measure) {
    Objects.requireNonNull(measure);
    confusions.add(Objects.requireNonNull(confusion));
    measures.put(Objects.requireNonNull(name), () -> measure.applyAsDouble(confusion));
    return this;
  }

  /**
   * Sets the listener, which receives each pass and may stop the training.
   *
   * @param listener called after each pass
   * @return this
   */
  public Fit onPass(Listener listener) {
    this.listener = Objects.requireNonNull(listener);
    return this;
  }

  /**
   * Shows each pass.
   *
   * @param show receives each pass, such as {@code System.err::println}
   * @return this
   */
  public Fit progress(Consumer<? super Pass> show) {
    this.show = show::accept;
    return this;
  }

  /**
   * Shows a bar within each pass: of the width of the terminal of standard error, or a line every
   * ten seconds where that is none.
   *
   * @param out standard error, {@code System.err}
   * @return this
   * @throws IllegalStateException if its library is not there; the message names what to add
   */
  public Fit progressBar(PrintStream out) {
    shown.bars(out);
    return this;
  }

  /**
   * Draws the losses of the steps and of the validations after each pass, from the first step of
   * this object on. If the picture cannot be drawn (Java needs a font) or cannot be written, {@link
   * #run} throws an {@link UncheckedIOException} after it has saved the pass.
   *
   * @param picture a PNG file
   * @return this
   * @throws IllegalStateException if its library is not there; the message names what to add
   */
  public Fit curve(Path picture) {
    shown.curve(picture);
    return this;
  }

  /**
   * Appends a line per pass to a file of comma-separated values, which begins with the names. A
   * training that continues replaces the lines of passes that it takes again.
   *
   * @param csv the file
   * @return this
   */
  public Fit log(Path csv) {
    this.log = new CsvLog(csv);
    return this;
  }

  /**
   * Saves the training to a file after each pass, as {@link Checkpoint#save} does.
   *
   * @param file the file
   * @return this
   */
  public Fit saveTo(Path file) {
    this.file = Objects.requireNonNull(file);
    return this;
  }

  /** {@return the number of passes since the training began} */
  public int passes() {
    return state.done;
  }

  /** {@return the least loss of a pass; infinite before the first} */
  public double bestLoss() {
    return state.bestLoss;
  }

  /**
   * Copies the weights of the pass with the least loss to the model: the averaged weights where the
   * trainer averages.
   *
   * @throws IllegalStateException if no pass had a finite loss
   */
  public void restoreBest() {
    Parameters best = state.best;
    if (best == null) {
      throw new IllegalStateException(
          "fit: no pass had a finite loss; call run(passes) first, or lower the rate");
    }
    trainer.parameters().copyFrom(best);
  }

  /**
   * Trains until the training has had a number of passes, the patience ends, or a listener stops
   * it.
   *
   * @param passes the passes since the training began, those before included
   * @return the last pass of this call; null if there was none to do
   * @throws UncheckedIOException if the checkpoint, the log or the curve cannot be written
   * @throws ArithmeticException as {@link Trainer#pass} does
   * @throws IllegalStateException if another thread is inside the trainer, its tape or optimiser
   */
  public @Nullable Pass run(int passes) {
    Pass last = null;
    if (log != null && state.done < passes) {
      log.begin(state.done, measures.keySet());
    }
    boolean goesOn = true;
    while (goesOn && state.done < passes && state.waited < patience) {
      Pass pass = pass();
      if (pass == null) {
        return last; // the trainer's listener stopped within the pass
      }
      last = pass;
      if (file != null) {
        state.save(file, trainer, plateau);
      }
      if (log != null) {
        log.append(pass);
      }
      shown.pass(pass);
      show.accept(pass);
      goesOn = listener.after(pass);
    }
    return last;
  }

  private @Nullable Pass pass() {
    int[][] batches = train.pass(trainer.seed(), state.done);
    double[] sum = new double[1];
    trainer.model().reset();
    boolean whole = takeSteps(batches, sum);
    trainer.model().reset();
    if (!whole) {
      return null;
    }
    state.done++;
    double loss = sum[0] / trainer.steps(batches.length);
    double before = state.bestLoss;
    double validated = judge(loss);
    state.waited = state.bestLoss < before ? 0 : state.waited + 1;
    if (plateau != null) {
      plateau.observe(validation == null ? loss : validated);
    }
    Map<String, Double> measured = new LinkedHashMap<>();
    measures.forEach((name, measure) -> measured.put(name, measure.getAsDouble()));
    return new Pass(
        state.done,
        trainer.optimiser().steps(),
        loss,
        validated,
        measured,
        trainer.optimiser().rate(),
        state.bestLoss < before);
  }

  /** Takes the steps of a pass and sums their losses; {@return false if the listener stopped it} */
  private boolean takeSteps(int[][] batches, double[] sum) {
    int[] done = new int[1];
    try (Bar bar = shown.bar(state.done + 1, trainer.steps(batches.length))) {
      return trainer.pass(
          batches.length,
          i -> {
            if (!train.isCarried()) {
              trainer.model().reset();
            }
            return train.loss(trainer.tape(), batches[i]);
          },
          event -> {
            sum[0] += event.loss();
            shown.step(bar, event, ++done[0]);
          });
    }
  }

  /** Keeps the best weights, averaged if the trainer does so; {@return the validation's loss} */
  private double judge(double loss) {
    Average average = trainer.average();
    if (average != null) {
      average.swap();
    }
    try {
      double validated = validation == null ? Double.NaN : validate(validation);
      double judged = validation == null ? loss : validated;
      if (judged < state.bestLoss) {
        state.keep(trainer.parameters(), judged);
      }
      return validated;
    } finally {
      if (average != null) {
        average.swap();
      }
    }
  }

  /** {@return the mean loss per example} */
  private double validate(Batches batches) {
    confusions.forEach(Confusion::clear);
    double sum = 0;
    long examples = 0;
    try (Tape reader = Tape.inference(trainer.tape().device())) {
      for (int[] batch : batches.pass(trainer.seed(), 0)) {
        if (!batches.isCarried()) {
          trainer.model().reset();
        }
        sum += batches.loss(reader, batch).scalar() * (double) batch.length;
        examples += batch.length;
        reader.clear();
      }
      trainer.model().reset();
    }
    return sum / examples;
  }

  /**
   * Continues a training after the pass that a file holds. The batches, the settings and the seed
   * must be those of the training that was saved; the losses are then the same bit for bit.
   *
   * @param file what {@link #saveTo} has written
   * @return this
   * @throws IOException if the file cannot be read
   * @throws IllegalArgumentException if the file is of another model, optimiser, seed or kind of
   *     training; nothing has then changed
   */
  public Fit resume(Path file) throws IOException {
    state.load(file, trainer, plateau);
    return this;
  }
}
