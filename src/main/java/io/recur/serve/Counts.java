package io.recur.serve;

/**
 * What sessions have done since they were opened, for metrics.
 *
 * <pre>{@code
 * Counts counts = sessions.counts();
 * double meanBatch = (double) counts.requests() / counts.batches();
 * }</pre>
 *
 * @param sessions in memory at present
 * @param stored sessions in the store at present
 * @param waiting requests that wait at present
 * @param batches steps of the model
 * @param requests answered by a step of the model
 * @param repeated requests that were answered again
 * @param refused requests that were not served: for an unknown id, a passed deadline, a model that
 *     refused the input
 * @param rejected requests that came while as many waited as may
 * @param failed sessions that met a value that is not a number
 * @param notStored how often a session could not go to the store, and stayed in memory
 * @param bytes native memory of the table of states
 */
public record Counts(
    int sessions,
    long stored,
    int waiting,
    long batches,
    long requests,
    long repeated,
    long refused,
    long rejected,
    long failed,
    long notStored,
    long bytes) {}
