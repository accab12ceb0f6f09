package io.recur.device.kernels;

/**
 * The kernels of a device that check no argument, by what they work on. A device makes them once,
 * when it is opened.
 *
 * <pre>{@code
 * Blas blas = kernels.groups().blas();
 * }</pre>
 *
 * @param blas matrix products
 * @param arithmetic elementwise arithmetic with constants and of two operands
 * @param bands products with diagonal and tridiagonal matrices
 * @param reductions sums, means, maxima and variances over a dimension
 * @param updates the optimisers' passes over parameters, and clipping
 * @param programs the programs of cells
 */
public record KernelGroups(
    Blas blas,
    Arithmetic arithmetic,
    Bands bands,
    Reductions reductions,
    Updates updates,
    Programs programs) {}
