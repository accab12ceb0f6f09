package io.recur.serve;

/** What the stepping thread has done, which it notes for other threads when one asks. */
final class Tally {
  long batches;
  long requests;
  long repeated;
  long refused;
  long failed;

  private volatile Counts counts = new Counts(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

  /** Notes the counts of this moment. */
  void count(Table table, Shelf shelf) {
    counts =
        new Counts(
            table.count(),
            shelf.stored(),
            0,
            batches,
            requests,
            repeated,
            refused,
            0,
            failed,
            shelf.notStored(),
            table.bytes());
  }

  /** What was done until it was noted last; of the inbox the counts of this moment. */
  Counts counts(Inbox inbox) {
    Counts now = counts;
    return new Counts(
        now.sessions(),
        now.stored(),
        inbox.waiting(),
        now.batches(),
        now.requests(),
        now.repeated(),
        now.refused(),
        inbox.rejected(),
        now.failed(),
        now.notStored(),
        now.bytes());
  }
}
