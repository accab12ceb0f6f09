/**
 * Serving: a state for every session of a model, stepped together with those of others. This
 * package knows neither optimisers nor the command line.
 */
@NullMarked
package io.recur.serve;

import org.jspecify.annotations.NullMarked;
