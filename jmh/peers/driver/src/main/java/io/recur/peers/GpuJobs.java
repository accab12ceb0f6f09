package io.recur.peers;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The works that are measured on a GPU, in each precision. */
final class GpuJobs {
  private GpuJobs() {}

  /** All works; few and tiny ones for a rehearsal. */
  static List<Job> all(Path folder, boolean isRehearsal) {
    int[] units = isRehearsal ? new int[] {17} : new int[] {128, 256, 512, 1024, 2048};
    int[] batches = isRehearsal ? new int[] {1, 5} : new int[] {1, 16, 64, 256};
    List<Job> jobs = new ArrayList<>();
    for (String cell : new String[] {"LSTM", "GRU"}) {
      for (int layers = 1; layers <= 2; layers++) {
        for (int hidden : units) {
          for (int batch : batches) {
            jobs.add(job(folder, cell, layers, batch, isRehearsal ? 64 : 256, hidden));
          }
        }
      }
    }
    jobs.add(Jobs.characters(folder.resolve("gpu-characters"), isRehearsal, 0));
    return jobs;
  }

  /** The first steps of a long sequence are in files and compared; all of it is timed. */
  private static Job job(Path folder, String cell, int layers, int batch, int time, int hidden) {
    String group = "%s %s".formatted(cell, layers == 1 ? "1 layer" : "2 layers");
    int compared = 32;
    Work work =
        new Work(
            Work.SEQUENCE,
            cell,
            layers,
            batch,
            compared,
            hidden,
            hidden,
            time / compared,
            Work.FLOAT32,
            folder.resolve("gpu"));
    Map<String, Double> targets = new LinkedHashMap<>();
    if (batch == 256 && hidden == 2048) {
      targets.put(Job.FORWARD + " " + Job.PYTORCH, 0.95);
      targets.put(Job.TRAIN + " " + Job.PYTORCH, 0.95);
    } else if (batch >= 16) {
      targets.put(Job.TRAIN + " " + Job.PYTORCH, 0.9);
    } else if (hidden >= 256 && hidden <= 1024) {
      targets.put(Job.STEP + " " + Job.PYTORCH, 4.0);
    }
    String name = "%s H%d B%d".formatted(group, hidden, batch);
    return new Job(name, group, work, List.of(Job.FORWARD, Job.TRAIN, Job.STEP), targets);
  }
}
