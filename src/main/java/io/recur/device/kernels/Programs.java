package io.recur.device.kernels;

import io.recur.device.Buffer;
import org.jspecify.annotations.Nullable;

/**
 * Compiles and runs the programs of cells. Every device has them.
 *
 * <pre>{@code
 * Programs programs = kernels.programs();
 * }</pre>
 */
public interface Programs {
  /**
   * Prepares a program for this device.
   *
   * @param program a program that is right: it is not checked again
   * @return the program as this device runs it, which several threads may use at once
   */
  Compiled compile(CellProgram program);

  /** A program that a device can run. It keeps packed copies of weights, which follow these. */
  interface Compiled {
    /** {@return an empty execution, to be reused, by one thread at a time} */
    Execution execution();

    /** {@return the words of memory that the description of an execution takes} */
    long descriptionFloats();

    /**
     * Computes the size of an array.
     *
     * @param array its number
     * @param batch B
     * @param steps the number of steps that it has room for
     * @return words
     */
    long floats(int array, int batch, int steps);

    /**
     * Tells how many steps an array of gradients must have room for, which nobody but the device
     * reads.
     *
     * @param batch B
     * @param time T
     * @return T, or fewer where the device makes the gradients of weights while it walks back
     */
    int gradientSteps(int batch, int time);

    /**
     * Tells whether the device reads an array of gradients. The caller may leave out one that
     * neither of them reads. One that the device does not read, and from which gradients of vectors
     * alone follow, may stay unwritten.
     *
     * @param array its number
     * @return true unless the device makes the gradients of weights from a copy of its own
     */
    default boolean readsGradients(int array) {
      return true;
    }

    /**
     * Computes the memory that forward takes.
     *
     * @param batch B
     * @param time T
     * @return words, 0 or more
     */
    long forwardScratch(int batch, int time);

    /**
     * Computes the memory that backward takes.
     *
     * @param batch B
     * @param time T
     * @return words, 0 or more
     */
    long backwardScratch(int batch, int time);
  }

  /** One run over a sequence: its sizes and memory. {@link #begin} reuses it. */
  interface Execution {
    /**
     * Forgets all arrays and takes sizes.
     *
     * @param description {@link Compiled#descriptionFloats} words that live as long as the arrays;
     *     null where that is 0
     * @param batch B
     * @param time T
     * @return this
     */
    Execution begin(@Nullable Buffer description, int batch, int time);

    /**
     * Names the memory of an array. The matrix of step t is number t modulo {@code steps}.
     *
     * @param number the array
     * @param buffer its memory, aligned to 64 bytes for {@link CellProgram.Layout#TILES}; null for
     *     none: stores then do nothing
     * @param steps the steps that it has room for
     * @return this
     */
    default Execution array(int number, @Nullable Buffer buffer, int steps) {
      return array(number, buffer, 0, steps);
    }

    /**
     * Names a part of a buffer as the memory of an array, without an object for the part.
     *
     * @param number the array
     * @param buffer contains its memory; null for none
     * @param first the first word of it, a multiple of 16 for {@link CellProgram.Layout#TILES}
     * @param steps the steps that it has room for
     * @return this
     */
    Execution array(int number, @Nullable Buffer buffer, long first, int steps);

    /**
     * Names a vector.
     *
     * @param number the vector
     * @param values its values
     * @param gradient added to by backward; null where it is not wanted
     * @return this
     */
    Execution vector(int number, Buffer values, @Nullable Buffer gradient);

    /**
     * Names a matrix.
     *
     * @param number the matrix
     * @param values its values, column-major
     * @param gradient added to by backward; null where it is not wanted
     * @return this
     */
    Execution matrix(int number, Buffer values, @Nullable Buffer gradient);

    /**
     * Names the classes that {@link Instruction.Gather} and {@link Instruction.Scatter} read.
     *
     * @param classes B×T int32, which are checked at every pass
     * @return this
     */
    Execution index(@Nullable Buffer classes);

    /**
     * Sets the seeds of the random operations.
     *
     * @param seeds draws × T: those of step 0 first; kept until the next {@link #begin}
     * @return this
     */
    Execution seeds(long[] seeds);

    /**
     * Asks that the bits of a column depend neither on the batch nor on its place in it, as {@link
     * Blas#multiplyColumns} computes it. {@link #begin} ends that. The kernels in C need not be
     * asked.
     *
     * @param wanted whether columns are to be computed alone, which may take longer
     * @return whether they are
     */
    default boolean columnsAlone(boolean wanted) {
      return true;
    }

    /**
     * Runs the forward pass.
     *
     * @param scratch {@link Compiled#forwardScratch} words; null where that is 0
     */
    void forward(@Nullable Buffer scratch);

    /**
     * Runs the backward pass, then adds to the gradients of weights and vectors.
     *
     * @param scratch {@link Compiled#backwardScratch} words; null where that is 0
     */
    void backward(@Nullable Buffer scratch);
  }
}
