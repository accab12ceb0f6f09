package io.recur.device.kernels;

import io.recur.device.kernels.Instruction.Load;
import io.recur.device.kernels.Instruction.Product;
import io.recur.device.kernels.Instruction.Store;
import io.recur.device.kernels.PassScheduler.Part;
import io.recur.device.kernels.ProductSchedule.Call;
import java.util.ArrayList;
import java.util.List;

/**
 * Finds products that are stored as they are, or added to what was there: the library writes them
 * to the array itself, and no section sees them.
 */
final class StoredProducts {
  private final PassScheduler scheduler;

  StoredProducts(PassScheduler scheduler) {
    this.scheduler = scheduler;
  }

  /** Takes them out of the parts. */
  void take() {
    for (Part part : scheduler.parts) {
      for (Instruction instruction : List.copyOf(part.instructions)) {
        if (instruction instanceof Store store && isWhole(part, store)) {
          take(part, store);
        }
      }
    }
  }

  /** Whether a store writes all rows of an array of the program. */
  private boolean isWhole(Part part, Store store) {
    return store.row() == 0
        && store.array() < scheduler.program.arrays().size()
        && scheduler.program.arrays().get(store.array()).rows() == part.rows;
  }

  private void take(Part part, Store store) {
    int[] uses = Values.uses(part.instructions);
    List<Product> chain = new ArrayList<>();
    int value = store.value();
    while (value != Instruction.NONE
        && uses[value] == 1
        && part.definition(value) instanceof Product product) {
      chain.addFirst(product);
      value = product.sum();
    }
    Instruction first = value == Instruction.NONE ? null : part.definition(value);
    boolean accumulates =
        first instanceof Load load
            && uses[value] == 1
            && load.array() == store.array()
            && load.row() == 0
            && load.lag() == store.lag();
    if (chain.isEmpty() || first != null && !accumulates || isRead(part, store, first)) {
      return;
    }
    boolean sinks = sinks(part, store, chain, first);
    part.instructions.removeAll(chain);
    part.instructions.remove(store);
    part.instructions.remove(first);
    for (Product product : chain) {
      scheduler.calls(part.phase).add(call(store, product, accumulates, sinks));
      accumulates = true;
    }
  }

  private Call call(Store store, Product product, boolean accumulates, boolean sinks) {
    return new Call(
        scheduler.program.weights().get(product.weights()),
        product.transposed(),
        product.operand(),
        product.lag(),
        product.skipsFirst(),
        accumulates,
        store.array(),
        0,
        store.lag(),
        sinks);
  }

  /** Whether the phase reads what the store writes, other than by one instruction. */
  private boolean isRead(Part part, Store store, Instruction but) {
    return scheduler.parts.stream()
        .filter(other -> other.phase == part.phase)
        .flatMap(other -> other.instructions.stream())
        .anyMatch(i -> i != but && i.arrayRead() == store.array());
  }

  /** Whether the products can be made after the last step. */
  private boolean sinks(Part part, Store store, List<Product> chain, Instruction first) {
    int stores = 0;
    for (CellProgram.Phase phase : both()) {
      for (CellProgram.Section section : phase.sections()) {
        for (Instruction instruction : section.instructions()) {
          if (instruction != first && instruction.arrayRead() == store.array()) {
            return false;
          }
          stores += instruction instanceof Store other && other.array() == store.array() ? 1 : 0;
        }
      }
    }
    return stores == 1
        && !part.isEnd
        && chain.stream().noneMatch(Product::skipsFirst)
        && chain.stream().allMatch(this::keepsItsOperand);
  }

  /** Whether the steps of the operand stay what they are when the product is computed. */
  private boolean keepsItsOperand(Product product) {
    int steps = scheduler.pass.phases().size();
    List<CellProgram.Phase> phases = both();
    for (int i = 0; i < phases.size(); i++) {
      for (CellProgram.Section section : phases.get(i).sections()) {
        for (Instruction instruction : section.instructions()) {
          if (instruction instanceof Store store
              && store.array() == product.operand()
              && (i >= steps || store.lag() != product.lag())) {
            return false;
          }
        }
      }
    }
    return true;
  }

  private List<CellProgram.Phase> both() {
    List<CellProgram.Phase> all = new ArrayList<>(scheduler.pass.phases());
    all.addAll(scheduler.pass.end());
    return all;
  }
}
