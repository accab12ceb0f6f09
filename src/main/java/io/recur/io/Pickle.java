package io.recur.io;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads the pickle of a file that {@code torch.save} wrote, protocol 2, as data. Nothing is
 * executed: the globals that a tensor and an ordered dictionary need are known by name, every other
 * global and every other opcode is refused.
 *
 * <p>The result is made of {@code Map} (a dictionary, whose keys are text or whole numbers), {@code
 * List} (a list or tuple), {@code String}, {@code Long}, {@code Double}, {@code Boolean}, {@link
 * Sign#NONE} and {@link Array}. A step of the reader takes constant time per byte, and it allocates
 * no more than a constant per byte.
 */
final class Pickle {
  /** What is no value. */
  enum Sign {
    /** Python's None. */
    NONE,
    /** The beginning of the items that the next tuple or call takes. */
    MARK
  }

  /**
   * A storage: the values of one or more tensors.
   *
   * @param key the name of its record below {@code data/}
   * @param count of elements
   */
  record Storage(Dtype dtype, String key, long count) {}

  /**
   * A tensor.
   *
   * @param offset of its first element in the storage
   * @param sizes in PyTorch's order, last dimension contiguous
   * @param strides in elements
   */
  record Array(Storage storage, long offset, long[] sizes, long[] strides) {}

  /** A name that a pickle refers to, such as {@code collections.OrderedDict}. */
  private record Global(String name) {}

  /** What a pickle must not refer to; the message says how to save the file instead. */
  private static final String REMEDY =
      "only tensors, numbers, text, lists and dictionaries are read, and nothing is executed; save"
          + " the weights alone: torch.save(model.state_dict(), path)";

  static final String DICTIONARY = "collections.OrderedDict";
  static final String TENSOR = "torch._utils._rebuild_tensor_v2";
  private static final String PARAMETER = "torch._utils._rebuild_parameter";
  private static final Set<String> CALLS = Set.of(DICTIONARY, TENSOR, PARAMETER);

  private static final Map<String, Dtype> STORAGES =
      Map.ofEntries(
          Map.entry("torch.FloatStorage", Dtype.F32),
          Map.entry("torch.HalfStorage", Dtype.F16),
          Map.entry("torch.BFloat16Storage", Dtype.BF16),
          Map.entry("torch.DoubleStorage", Dtype.F64),
          Map.entry("torch.LongStorage", Dtype.I64),
          Map.entry("torch.IntStorage", Dtype.I32),
          Map.entry("torch.ShortStorage", Dtype.I16),
          Map.entry("torch.CharStorage", Dtype.I8),
          Map.entry("torch.ByteStorage", Dtype.U8),
          Map.entry("torch.BoolStorage", Dtype.BOOL));

  private static final int PROTOCOL = 2;
  private static final int LONGEST_NAME = 200;

  private final ByteBuffer bytes;
  private final List<Object> stack = new ArrayList<>();
  private final Map<Integer, Object> memo = new HashMap<>();

  private Pickle(byte[] bytes) {
    this.bytes = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** {@return the storage of an element type, or null if PyTorch has none of that name} */
  static @Nullable String storage(Dtype dtype) {
    return STORAGES.entrySet().stream()
        .filter(entry -> entry.getValue() == dtype)
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse(null);
  }

  /**
   * Reads one object.
   *
   * @throws IllegalArgumentException if the bytes are cut off, or hold an opcode, a global or a
   *     value that a file of tensors does not have; the message names it and its position
   */
  static Object read(byte[] bytes) {
    Pickle pickle = new Pickle(bytes);
    try {
      return pickle.run();
    } catch (BufferUnderflowException e) {
      throw pickle.wrong("the pickle is cut off");
    }
  }

  private Object run() {
    while (true) {
      int opcode = bytes.get() & 0xff;
      if (opcode == '.') {
        Object result = pop();
        if (!stack.isEmpty()) {
          throw wrong(stack.size() + " objects are left at its end; the file is damaged");
        }
        return result;
      }
      step(opcode);
    }
  }

  private void step(int opcode) {
    switch (opcode) {
      case 0x80 -> protocol(bytes.get() & 0xff);
      case '(' -> stack.add(Sign.MARK);
      case 'N' -> stack.add(Sign.NONE);
      case 0x88 -> stack.add(true);
      case 0x89 -> stack.add(false);
      case 'K' -> stack.add((long) (bytes.get() & 0xff));
      case 'M' -> stack.add((long) (bytes.getShort() & 0xffff));
      case 'J' -> stack.add((long) bytes.getInt());
      case 0x8a -> stack.add(whole(bytes.get() & 0xff));
      case 'G' -> stack.add(Double.longBitsToDouble(Long.reverseBytes(bytes.getLong())));
      case 'X' -> stack.add(text(bytes.getInt()));
      case '}' -> stack.add(new LinkedHashMap<Object, Object>());
      case ']', ')' -> stack.add(new ArrayList<Object>());
      case 't' -> stack.add(marked());
      case 0x85 -> stack.add(tuple(1));
      case 0x86 -> stack.add(tuple(2));
      case 0x87 -> stack.add(tuple(3));
      case 'q' -> memo.put(bytes.get() & 0xff, peek());
      case 'r' -> memo.put(bytes.getInt(), peek());
      case 'h' -> stack.add(remembered(bytes.get() & 0xff));
      case 'j' -> stack.add(remembered(bytes.getInt()));
      case 's' -> put(tuple(2));
      case 'u' -> put(marked());
      case 'a' -> append(tuple(1));
      case 'e' -> append(marked());
      case 'c' -> stack.add(global(line() + "." + line()));
      case 'Q' -> stack.add(storage(pop()));
      case 'R' -> stack.add(called(tuple(2)));
      case 'b' -> describe(pop());
      default ->
          throw wrong("opcode 0x%02x, which no file of tensors has; %s".formatted(opcode, REMEDY));
    }
  }

  private void protocol(int found) {
    if (found != PROTOCOL) {
      throw wrong(
          "protocol %d; need %d, which torch.save(…) writes unless told otherwise"
              .formatted(found, PROTOCOL));
    }
  }

  private long whole(int length) {
    if (length > Long.BYTES) {
      throw wrong("a number of %d bytes; need at most 8".formatted(length));
    }
    long value = 0;
    for (int i = 0; i < length; i++) {
      long digit = i == length - 1 ? bytes.get() : bytes.get() & 0xff; // the last has the sign
      value |= digit << 8 * i;
    }
    return value;
  }

  private String text(int length) {
    if (length < 0 || length > bytes.remaining()) {
      throw wrong(
          "a text of %d bytes where %d are left; the file is damaged"
              .formatted(length & 0xffffffffL, bytes.remaining()));
    }
    String text = new String(bytes.array(), bytes.position(), length, StandardCharsets.UTF_8);
    bytes.position(bytes.position() + length);
    return text;
  }

  private String line() {
    int from = bytes.position();
    while (bytes.get() != '\n') {
      if (bytes.position() - from > LONGEST_NAME) {
        throw wrong("a name of more than %d bytes".formatted(LONGEST_NAME));
      }
    }
    int length = bytes.position() - from - 1;
    return new String(bytes.array(), from, length, StandardCharsets.UTF_8);
  }

  private Object peek() {
    if (stack.isEmpty() || stack.getLast() == Sign.MARK) {
      throw wrong("an object is missing; the file is damaged");
    }
    return stack.getLast();
  }

  private Object pop() {
    peek();
    return stack.removeLast();
  }

  private List<Object> tuple(int count) {
    List<Object> items = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      items.addFirst(pop());
    }
    return items;
  }

  /** Takes the items after the last mark, and the mark. */
  private List<Object> marked() {
    int mark = stack.lastIndexOf(Sign.MARK);
    if (mark < 0) {
      throw wrong("a mark is missing; the file is damaged");
    }
    List<Object> after = stack.subList(mark, stack.size());
    List<Object> items = new ArrayList<>(after.subList(1, after.size()));
    after.clear();
    return items;
  }

  private Object remembered(int key) {
    Object found = memo.get(key);
    if (found == null) {
      throw wrong("object %d is used and was not stored; the file is damaged".formatted(key));
    }
    return found;
  }

  @SuppressWarnings("unchecked")
  private void put(List<Object> items) {
    if (!(peek() instanceof Map<?, ?> map) || items.size() % 2 != 0) {
      throw wrong("%d items for what is no dictionary".formatted(items.size()));
    }
    for (int i = 0; i < items.size(); i += 2) {
      if (!(items.get(i) instanceof String || items.get(i) instanceof Long)) {
        throw wrong("the key of a dictionary is neither text nor a whole number");
      }
      ((Map<Object, Object>) map).put(items.get(i), items.get(i + 1));
    }
  }

  @SuppressWarnings("unchecked")
  private void append(List<Object> items) {
    if (!(peek() instanceof List<?> list)) {
      throw wrong("%d items for what is no list".formatted(items.size()));
    }
    ((List<Object>) list).addAll(items);
  }

  private Global global(String name) {
    if (!CALLS.contains(name) && !STORAGES.containsKey(name)) {
      throw wrong("it refers to %s; %s".formatted(PlainJson.shown(name), REMEDY));
    }
    return new Global(name);
  }

  private Storage storage(Object id) {
    if (!(id instanceof List<?> parts)
        || parts.size() != 5
        || !"storage".equals(parts.getFirst())
        || !(parts.get(1) instanceof Global type)
        || !STORAGES.containsKey(type.name())
        || !(parts.get(2) instanceof String key)
        || !(parts.get(4) instanceof Long count)
        || count < 0) {
      throw wrong("a storage that is not (storage, type, key, location, count)");
    }
    return new Storage(STORAGES.get(type.name()), key, count);
  }

  private Object called(List<Object> call) {
    if (!(call.getFirst() instanceof Global function)
        || !(call.getLast() instanceof List<?> arguments)) {
      throw wrong("a call of what is no function");
    }
    return switch (function.name()) {
      case DICTIONARY -> {
        if (!arguments.isEmpty()) {
          throw wrong("an OrderedDict of %d arguments; need none".formatted(arguments.size()));
        }
        yield new LinkedHashMap<Object, Object>();
      }
      case TENSOR -> array(arguments);
      case PARAMETER -> {
        if (arguments.isEmpty() || !(arguments.getFirst() instanceof Array array)) {
          throw wrong("a parameter that holds no tensor");
        }
        yield array;
      }
      default -> throw wrong("a call of %s".formatted(function.name()));
    };
  }

  private Array array(List<?> arguments) {
    if (arguments.size() < 4
        || !(arguments.get(0) instanceof Storage storage)
        || !(arguments.get(1) instanceof Long offset)
        || !(arguments.get(2) instanceof List<?> sizes)
        || !(arguments.get(3) instanceof List<?> strides)
        || sizes.size() != strides.size()
        || offset < 0) {
      throw wrong("a tensor that is not (storage, offset, sizes, strides)");
    }
    return new Array(storage, offset, numbers(sizes), numbers(strides));
  }

  private long[] numbers(List<?> values) {
    for (Object value : values) {
      if (!(value instanceof Long number) || number < 0) {
        throw wrong("a size or stride of a tensor is no whole number from 0");
      }
    }
    return values.stream().mapToLong(value -> (Long) value).toArray();
  }

  /** Passes over the attributes of a dictionary, which hold versions of modules. */
  private void describe(Object attributes) {
    if (!(peek() instanceof Map) || !(attributes instanceof Map)) {
      throw wrong("attributes of what is no dictionary; " + REMEDY);
    }
  }

  private IllegalArgumentException wrong(String what) {
    return new IllegalArgumentException(
        "pickle: at byte %d of %d: %s".formatted(bytes.position(), bytes.limit(), what));
  }
}
