package io.recur.io.keras;

import io.jhdf.ObjectHeader;
import io.jhdf.dataset.DatasetReader;
import io.jhdf.object.datatype.DataType;
import io.jhdf.object.datatype.FixedPoint;
import io.jhdf.object.datatype.FloatingPoint;
import io.jhdf.object.datatype.StringData;
import io.jhdf.object.datatype.VariableLength;
import io.jhdf.object.message.AttributeMessage;
import io.jhdf.object.message.DataLayoutMessage;
import io.jhdf.object.message.DataSpace;
import io.jhdf.object.message.DataSpaceMessage;
import io.jhdf.object.message.DataTypeMessage;
import io.jhdf.object.message.FilterPipelineMessage;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A dataset or an attribute of an HDF5 file: its type, sizes and elements. */
final class HdfDataset {
  private static final long UNDEFINED = -1;

  private final HdfBytes bytes;
  private final String path;
  private final ObjectHeader header;
  private final DataType type;
  private final boolean isBfloat;

  /**
   * A dataset.
   *
   * @param isBfloat whether an attribute says that its two bytes are a bfloat16
   */
  HdfDataset(HdfBytes bytes, String path, ObjectHeader header, boolean isBfloat) {
    this.bytes = bytes;
    this.path = path;
    this.header = header;
    this.type = header.getMessageOfType(DataTypeMessage.class).getDataType();
    this.isBfloat = isBfloat && type instanceof StringData && type.getSize() == 2;
  }

  /** {@return the tensor of this dataset} */
  HdfTensor tensor() {
    DataSpace space = header.getMessageOfType(DataSpaceMessage.class).getDataSpace();
    int[] sizes = space.getDimensions();
    long count = count(space);
    long length = Math.multiplyExact(count, type.getSize());
    ByteBuffer data = count == 0 ? ByteBuffer.allocate(0) : data(length);
    HdfTensor.Type kind = kind();
    if (type instanceof FloatingPoint number) {
      data.order(number.getByteOrder());
    } else {
      data.order(ByteOrder.LITTLE_ENDIAN);
    }
    return new HdfTensor(sizes, kind, kind == HdfTensor.Type.OTHER ? name() : kind.name(), data);
  }

  private static long count(DataSpace space) {
    long count = space.getType() == 2 ? 0 : 1;
    for (int size : space.getDimensions()) {
      count = Math.multiplyExact(count, size);
    }
    return count;
  }

  private ByteBuffer data(long length) {
    DataLayoutMessage layout = header.getMessageOfType(DataLayoutMessage.class);
    if (layout instanceof DataLayoutMessage.ContiguousDataLayoutMessage whole) {
      if (whole.getAddress() == UNDEFINED || (whole.getSize() >= 0 && whole.getSize() < length)) {
        throw wrong("has %d bytes; need %d".formatted(Math.max(0, whole.getSize()), length));
      }
      return bytes.map(whole.getAddress(), length);
    }
    if (layout instanceof DataLayoutMessage.CompactDataLayoutMessage compact) {
      ByteBuffer data = compact.getDataBuffer();
      if (data.remaining() < length) {
        throw wrong("has %d bytes; need %d".formatted(data.remaining(), length));
      }
      return data.slice(0, (int) length);
    }
    throw wrong(
        "is in chunks%s, which Keras does not write; write it again with h5repack -l CONTI -f NONE"
            .formatted(filters()));
  }

  private String filters() {
    List<FilterPipelineMessage> pipelines = header.getMessagesOfType(FilterPipelineMessage.class);
    String names =
        pipelines.stream()
            .flatMap(pipeline -> pipeline.getFilters().stream())
            .map(filter -> filter.getId() + " " + filter.getName())
            .collect(Collectors.joining(", "));
    return names.isEmpty() ? "" : " with filters (" + names + ")";
  }

  private HdfTensor.Type kind() {
    if (isBfloat) {
      return HdfTensor.Type.BF16;
    }
    if (!(type instanceof FloatingPoint number)) {
      return HdfTensor.Type.OTHER;
    }
    int exponent = number.getExponentSize();
    int mantissa = number.getMantissaSize();
    boolean isPlain =
        number.getMantissaLocation() == 0
            && number.getExponentLocation() == mantissa
            && number.getExponentBias() == (1 << (exponent - 1)) - 1
            && 1 + exponent + mantissa == 8 * type.getSize();
    return switch (isPlain ? exponent : 0) {
      case 5 -> mantissa == 10 ? HdfTensor.Type.F16 : HdfTensor.Type.OTHER;
      case 8 -> mantissa == 23 ? HdfTensor.Type.F32 : HdfTensor.Type.OTHER;
      case 11 -> mantissa == 52 ? HdfTensor.Type.F64 : HdfTensor.Type.OTHER;
      default -> HdfTensor.Type.OTHER;
    };
  }

  private String name() {
    String kind = type instanceof FixedPoint number && !number.isSigned() ? "U" : "I";
    return type instanceof FixedPoint
        ? kind + 8L * type.getSize()
        : "%s of %d bytes".formatted(type.getClass().getSimpleName(), type.getSize());
  }

  private IllegalArgumentException wrong(String fact) {
    return new IllegalArgumentException(ConfigJson.shown(path) + " " + fact);
  }

  /** {@return an attribute's texts, or null if it is of another type} */
  static @Nullable List<String> texts(HdfBytes bytes, AttributeMessage attribute) {
    ByteBuffer data = attribute.getDataBuffer();
    DataType type = attribute.getDataType();
    if (data == null) {
      return List.of();
    }
    long count = count(attribute.getDataSpace());
    if (type instanceof StringData text) {
      return fixed(data, text.getSize(), count);
    }
    boolean isText = type instanceof VariableLength text && text.isVariableLengthString();
    if (!isText || count > data.remaining()) {
      return null;
    }
    Object read = DatasetReader.readDataset(type, data, (int) count, bytes);
    return List.of((String[]) read);
  }

  /** Texts of one size, filled up with zeros. */
  private static List<String> fixed(ByteBuffer data, int size, long count) {
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      byte[] text = new byte[size];
      data.get(text);
      int end = size;
      while (end > 0 && text[end - 1] == 0) {
        end--;
      }
      texts.add(new String(text, 0, end, StandardCharsets.UTF_8));
    }
    return texts;
  }
}
