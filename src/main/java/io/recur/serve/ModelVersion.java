package io.recur.serve;

/**
 * A model that sessions are stepped by, see {@link Versions}.
 *
 * <pre>{@code
 * for (ModelVersion version : sessions.versions().all()) {
 *   System.out.println(version.number() + " has " + version.sessions() + " sessions");
 * }
 * }</pre>
 *
 * @param number 1 for the first model, growing by one with each that replaces another
 * @param label the model's structure
 * @param sessions that are stepped by it, in memory and in the store
 */
public record ModelVersion(int number, String label, long sessions) {}
