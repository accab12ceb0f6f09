/**
 * A model in a topology of Kafka Streams: {@link io.recur.serve.kafka.KafkaModel} is the way in. It
 * needs {@code org.apache.kafka:kafka-streams}, which a program that uses this package adds.
 *
 * <p><b>Why waiting records have a store.</b> Records are stepped as one batch, so that some of
 * them have been read and not yet answered when Kafka Streams commits. A commit covers the offsets
 * of all records that a processor was given, so that one of two things must hold: the batch is
 * empty before each commit, or what is in it is part of the commit.
 *
 * <p>The first cannot be had from the public interfaces of Kafka Streams 4.4. Before it commits, a
 * task empties caches ({@code StreamTask.prepareCommit}, {@code ProcessorStateManager.flushCache}),
 * and calls nothing that a processor or a store of a user's own could implement: {@code
 * StateStore.flush} and {@code commit} come after the offsets. What a cache gives out before a
 * commit may write to stores and not forward: {@code forward} outside of {@code process} and of
 * punctuations throws "Current node is unknown". A punctuation comes before most commits and not
 * before all, such as that of a rebalance.
 *
 * <p>So waiting records lie in a store with a changelog. It is cached, and its keys are the places
 * of a batch, so that what came and went between two commits costs one short record for each place,
 * not two long ones for each record: the cache writes to the changelog what is there when the task
 * commits. The changelog, the states, the answers and the offsets are one transaction with {@code
 * exactly_once_v2}.
 */
@NullMarked
package io.recur.serve.kafka;

import org.jspecify.annotations.NullMarked;
