package io.recur.io.keras;

import io.jhdf.GroupSymbolTableNode;
import io.jhdf.LocalHeap;
import io.jhdf.ObjectHeader;
import io.jhdf.Superblock;
import io.jhdf.SymbolTableEntry;
import io.jhdf.btree.BTreeV1;
import io.jhdf.exceptions.HdfException;
import io.jhdf.object.message.AttributeInfoMessage;
import io.jhdf.object.message.AttributeMessage;
import io.jhdf.object.message.DataSpaceMessage;
import io.jhdf.object.message.LinkInfoMessage;
import io.jhdf.object.message.LinkMessage;
import io.jhdf.object.message.SymbolTableMessage;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads the groups, tensors and attributes of an HDF5 file. jhdf reads the parts of the format from
 * {@link HdfBytes}; each object is visited once.
 */
final class HdfReader {
  private static final int MOST_LEVELS = 64;
  private static final long UNDEFINED = -1;

  /** An attribute of Keras that names a type which HDF5 does not know. */
  private static final String DTYPE = "dtype";

  private final HdfBytes bytes;
  private final Map<String, HdfTensor> tensors = new LinkedHashMap<>();
  private final Map<String, Map<String, List<String>>> groups = new LinkedHashMap<>();
  private final Set<Long> visited = new HashSet<>();

  private HdfReader(byte[] file) {
    bytes = new HdfBytes(file);
  }

  /**
   * Reads a file. The tensors refer to its bytes.
   *
   * @throws IllegalArgumentException if it is damaged, or holds what Keras does not write
   */
  static HdfTree read(byte[] file) {
    try {
      HdfReader reader = new HdfReader(file);
      reader.visit("", reader.root(), 0);
      return new HdfTree(reader.tensors, reader.groups);
    } catch (RuntimeException | StackOverflowError e) { // headers refer to headers: jhdf recurses
      throw new IllegalArgumentException("HDF5: " + fact(e), e);
    }
  }

  /** The innermost of what jhdf says. */
  private static String fact(Throwable thrown) {
    Throwable cause = thrown;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause instanceof StackOverflowError) {
      return "its levels have no end";
    }
    boolean isSaid = cause instanceof IllegalArgumentException || cause instanceof HdfException;
    String said = isSaid ? cause.getMessage() : null;
    return said == null ? "a part is cut off or damaged" : said.replaceAll("\\p{Cntrl}", "?");
  }

  private long root() {
    return switch (bytes.getSuperblock()) {
      case Superblock.SuperblockV0V1 old ->
          new SymbolTableEntry(bytes, old.getRootGroupSymbolTableAddress())
              .getObjectHeaderAddress();
      case Superblock.SuperblockV2V3 young -> young.getRootGroupObjectHeaderAddress();
      default -> throw new IllegalArgumentException("an unknown superblock; need versions 0 to 3");
    };
  }

  private void visit(String path, long address, int level) {
    if (level > MOST_LEVELS || !visited.add(address) || groups.containsKey(path)) {
      throw new IllegalArgumentException(
          "%s is linked twice, or below more than %d levels"
              .formatted(ConfigJson.shown(path), MOST_LEVELS));
    }
    ObjectHeader header = header(path, address);
    Map<String, List<String>> attributes = attributes(header);
    groups.put(path, attributes);
    if (header.hasMessageOfType(DataSpaceMessage.class)) {
      boolean isBfloat = List.of("bfloat16").equals(attributes.get(DTYPE));
      tensors.put(path, new HdfDataset(bytes, path, header, isBfloat).tensor());
    } else {
      links(path, header)
          .forEach(
              (name, target) ->
                  visit(path.isEmpty() ? name : path + "/" + name, target, level + 1));
    }
  }

  private ObjectHeader header(String path, long address) {
    try {
      bytes.nameOpaque(address);
      return ObjectHeader.readObjectHeader(bytes, address);
    } catch (RuntimeException e) {
      IllegalArgumentException named =
          new IllegalArgumentException(ConfigJson.shown(path) + ": " + fact(e));
      named.addSuppressed(e);
      throw named;
    }
  }

  private Map<String, Long> links(String path, ObjectHeader header) {
    Map<String, Long> links = new LinkedHashMap<>();
    if (header.hasMessageOfType(SymbolTableMessage.class)) {
      addOld(links, header.getMessageOfType(SymbolTableMessage.class));
    } else if (header.hasMessageOfType(LinkInfoMessage.class)) {
      if (header.getMessageOfType(LinkInfoMessage.class).getBTreeNameIndexAddress() != UNDEFINED) {
        throw new IllegalArgumentException(
            "%s keeps its links in a heap, which Keras does not write; write the file with h5py's"
                    .formatted(ConfigJson.shown(path))
                + " default libver");
      }
      for (LinkMessage link : header.getMessagesOfType(LinkMessage.class)) {
        add(links, link.getLinkName(), link.getHardLinkAddress());
      }
    } else {
      throw new IllegalArgumentException(
          "%s is neither a group nor a dataset".formatted(ConfigJson.shown(path)));
    }
    return links;
  }

  private void addOld(Map<String, Long> links, SymbolTableMessage table) {
    ByteBuffer names = new LocalHeap(bytes, table.getLocalHeapAddress()).getDataBuffer();
    BTreeV1 tree = BTreeV1.createGroupBTree(bytes, table.getBTreeAddress());
    for (long node : tree.getChildAddresses()) {
      for (SymbolTableEntry entry : new GroupSymbolTableNode(bytes, node).getSymbolTableEntries()) {
        if (entry.getCacheType() == 2) {
          throw new IllegalArgumentException("it has a soft link; need hard links alone");
        }
        add(links, name(names, entry.getLinkNameOffset()), entry.getObjectHeaderAddress());
      }
    }
  }

  /** A text that a zero ends. */
  private static String name(ByteBuffer names, int from) {
    int to = from;
    while (names.get(to) != 0) {
      to++;
    }
    byte[] name = new byte[to - from];
    names.get(from, name);
    return new String(name, StandardCharsets.UTF_8);
  }

  private static void add(Map<String, Long> links, String name, long address) {
    if (name.isEmpty() || name.contains("/") || links.put(name, address) != null) {
      throw new IllegalArgumentException(
          "a link is named %s; need a name without / once".formatted(ConfigJson.shown(name)));
    }
  }

  private Map<String, List<String>> attributes(ObjectHeader header) {
    for (AttributeInfoMessage info : header.getMessagesOfType(AttributeInfoMessage.class)) {
      if (info.getFractalHeapAddress() != UNDEFINED) {
        throw new IllegalArgumentException(
            "attributes are kept in a heap, which Keras does not write; write the file with h5py's"
                + " default libver");
      }
    }
    Map<String, List<String>> attributes = new HashMap<>();
    for (AttributeMessage attribute : header.getMessagesOfType(AttributeMessage.class)) {
      List<String> texts = HdfDataset.texts(bytes, attribute);
      if (texts != null && attributes.put(attribute.getName(), texts) != null) {
        throw new IllegalArgumentException(
            "two attributes are named " + ConfigJson.shown(attribute.getName()));
      }
    }
    return attributes;
  }
}
