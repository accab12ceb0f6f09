package io.recur.io.keras;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Small HDF5 files whose parts refer to each other: a root group, its heap and its tree. */
final class HdfBomb {
  private static final int HEADER = 128;
  private static final int HEAP = 256;
  private static final int NAMES = 320;
  private static final int TREES = 512;
  private static final int PER_NODE = 2048;

  private final ByteBuffer file = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);

  HdfBomb() {
    superblock();
    header();
    heap();
  }

  private HdfBomb at(int place) {
    file.position(place);
    return this;
  }

  private void text(String text) {
    file.put(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  private void superblock() {
    at(0).text("\u0089HDF\r\n\u001a\n\0\0\0\0\0\u0008\u0008\0");
    file.putShort((short) 4).putShort((short) 16).putInt(0);
    file.putLong(0).putLong(-1).putLong(file.capacity()).putLong(-1);
    file.putLong(0).putLong(HEADER).putInt(0).putInt(0); // the root group's entry
  }

  /** One message: where the group's tree and heap are. */
  private void header() {
    at(HEADER).text("\u0001\0");
    file.putShort((short) 1).putInt(1).putInt(24).putInt(0);
    file.putShort((short) 0x11).putShort((short) 16).putInt(0).putLong(TREES).putLong(HEAP);
  }

  private void heap() {
    at(HEAP).text("HEAP\0\0\0\0");
    file.putLong(64).putLong(-1).putLong(NAMES);
    at(NAMES).text("\0\0\0\0\0\0\0\0a\0");
  }

  private void node(int place, int level, int children, long child) {
    at(place).text("TREE\0");
    file.put((byte) level).putShort((short) children).putLong(-1).putLong(-1);
    for (int i = 0; i < children; i++) {
      file.putLong(0).putLong(child);
    }
  }

  /** {@return nodes of which each refers to the next one many times: children^levels reads} */
  byte[] tree(int children, int levels) {
    for (int level = levels; level >= 0; level--) {
      int place = TREES + (levels - level) * PER_NODE;
      node(place, level, level == 0 ? 0 : children, place + PER_NODE);
    }
    return file.array();
  }

  /** {@return a node that is its own child} */
  byte[] treeInItself() {
    node(TREES, 1, 1, TREES);
    return file.array();
  }

  /** {@return a group that is its own member, with the name a} */
  byte[] groupInItself() {
    int symbols = TREES + PER_NODE;
    node(TREES, 0, 1, symbols);
    at(symbols).text("SNOD\u0001\0");
    file.putShort((short) 1).putLong(8).putLong(HEADER).putInt(0).putInt(0);
    return file.array();
  }
}
