package io.recur.device.kernels;

import org.jspecify.annotations.Nullable;

/**
 * The kernels of a device that check no argument, by what they work on. A device makes them once,
 * when it is opened.
 *
 * <pre>{@code
 * Blas blas = kernels.groups().blas();
 * }</pre>
 *
 * @param blas matrix products
 * @param gates the gates of the recurrent cells
 * @param arithmetic elementwise arithmetic with constants and of two operands
 * @param bands products with diagonal and tridiagonal matrices
 * @param reductions sums, means, maxima and variances over a dimension
 * @param updates the optimisers' passes over parameters, and clipping
 * @param recurrences whole sequences of the recurrent cells in one call, or null where the cells
 *     run step by step
 * @param programs the programs of cells, or null where cells run operation by operation
 */
public record KernelGroups(
    Blas blas,
    Gates gates,
    Arithmetic arithmetic,
    Bands bands,
    Reductions reductions,
    Updates updates,
    @Nullable Recurrences recurrences,
    @Nullable Programs programs) {}
