/**
 * Sessions over HTTP: the Open Inference Protocol 2 with sequences, states, streams of symbols and
 * metrics. {@link io.recur.serve.http.Server} is the way in. It stands on the server of the JDK,
 * the module {@code jdk.httpserver}.
 */
@NullMarked
package io.recur.serve.http;

import org.jspecify.annotations.NullMarked;
