package io.recur.hostile;

import io.recur.nn.Cell;
import io.recur.nn.Recur;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Values for every type of the public API, by the type's name. The first value is good, the others
 * are hostile. Types without an entry get values from their parts: enums from their constants,
 * arrays from their components, classes from their public constructors.
 */
final class Samples {
  /** Makes a value for one call. */
  @FunctionalInterface
  interface Maker {
    @Nullable Object make(World world) throws Exception;
  }

  /** A value and its name in a report. */
  record Sample(String name, Maker maker, boolean holdsNull) {
    /** Makes the value and notes that the world owns it. */
    @Nullable Object in(World world) throws Exception {
      return world.give(maker.make(world));
    }
  }

  static final Sample NULL = new Sample("null", world -> null, true);

  private final Map<String, List<Sample>> byType = new HashMap<>();

  /** Adds values of a type: the first that is added to a type is the good one. */
  Samples add(String type, String name, Maker maker) {
    byType.computeIfAbsent(type, t -> new ArrayList<>()).add(new Sample(name, maker, false));
    return this;
  }

  Samples add(Class<?> type, String name, Maker maker) {
    return add(type.getTypeName(), name, maker);
  }

  /** Adds a value with a null inside. */
  Samples addWithNull(String type, String name, Maker maker) {
    byType.computeIfAbsent(type, t -> new ArrayList<>()).add(new Sample(name, maker, true));
    return this;
  }

  /** Adds constants, each named as it prints. */
  Samples constants(Class<?> type, Object... values) {
    for (Object value : values) {
      add(type, String.valueOf(value), world -> value);
    }
    return this;
  }

  /** Arguments of a type; null is one of them unless the type is primitive. */
  List<Sample> of(Type type) {
    List<Sample> all = new ArrayList<>(known(type));
    if (!(type instanceof Class<?> plain && plain.isPrimitive())) {
      all.add(NULL);
    }
    return all;
  }

  /** Receivers of a type, with a closed one where it can be closed. */
  List<Sample> receivers(Class<?> type) {
    List<Sample> all = new ArrayList<>(known(type));
    if (AutoCloseable.class.isAssignableFrom(type)
        && all.stream().noneMatch(sample -> sample.name().equals("closed"))) {
      Sample live = all.getFirst();
      Maker closed =
          world -> {
            Object value = live.maker().make(world);
            ((AutoCloseable) value).close();
            return value;
          };
      all.add(new Sample("closed", closed, false));
    }
    return all;
  }

  private List<Sample> known(Type type) {
    List<Sample> entry = byType.get(type.getTypeName());
    if (entry == null) {
      entry = derived(type);
      byType.put(type.getTypeName(), entry);
    }
    return entry;
  }

  private List<Sample> derived(Type type) {
    if (type instanceof TypeVariable<?> variable) {
      return known(variable.getBounds()[0]);
    }
    if (type instanceof GenericArrayType array) {
      return arrays(raw(array.getGenericComponentType()), array.getGenericComponentType());
    }
    if (type instanceof ParameterizedType parameterized) {
      return known(parameterized.getRawType());
    }
    if (!(type instanceof Class<?> plain)) {
      throw missing(type);
    }
    if (plain.isEnum()) {
      Object[] constants = plain.getEnumConstants();
      return Arrays.stream(constants)
          .limit(2)
          .map(constant -> new Sample(constant.toString(), world -> constant, false))
          .toList();
    }
    return plain.isArray()
        ? arrays(plain.getComponentType(), plain.getComponentType())
        : built(plain);
  }

  /** Arrays of a good value, of none, of each hostile one. */
  private List<Sample> arrays(Class<?> component, Type of) {
    List<Sample> all = new ArrayList<>();
    List<Sample> elements = of(of);
    all.add(array(component, elements.getFirst(), elements.getFirst()));
    all.add(array(component));
    for (Sample element : elements.subList(1, elements.size())) {
      all.add(array(component, elements.getFirst(), element));
    }
    return all;
  }

  private static Sample array(Class<?> component, Sample... elements) {
    String names = String.join(", ", Arrays.stream(elements).map(Sample::name).toList());
    Maker maker =
        world -> {
          Object array = Array.newInstance(component, elements.length);
          for (int i = 0; i < elements.length; i++) {
            Array.set(array, i, elements[i].in(world));
          }
          return array;
        };
    return new Sample(
        "{" + names + "}", maker, Arrays.stream(elements).anyMatch(Sample::holdsNull));
  }

  /** {@return the objects that a public constructor makes of good values} */
  private List<Sample> built(Class<?> type) {
    boolean isCell = Cell.class.isAssignableFrom(type);
    if (isCell && type.getConstructors().length > 0 && !Modifier.isAbstract(type.getModifiers())) {
      return List.of(new Sample("2 => 2", world -> cell(world, type), false));
    }
    Constructor<?>[] constructors = type.getConstructors();
    if (Modifier.isAbstract(type.getModifiers()) || constructors.length == 0) {
      throw missing(type);
    }
    Constructor<?> constructor = constructors[0];
    List<Sample> good =
        Arrays.stream(constructor.getGenericParameterTypes())
            .map(parameter -> of(parameter).getFirst())
            .toList();
    Maker maker =
        world -> {
          Object[] arguments = new Object[good.size()];
          for (int i = 0; i < arguments.length; i++) {
            arguments[i] = good.get(i).in(world);
          }
          return constructor.newInstance(arguments);
        };
    return List.of(new Sample("built", maker, false));
  }

  /** A cell of the catalogue, on the device. */
  private static Cell cell(World world, Class<?> type) throws ReflectiveOperationException {
    Cell cell = (Cell) type.getConstructor(int.class, int.class).newInstance(2, 2);
    new Recur(cell).on(world.device(), 1);
    return cell;
  }

  private static Class<?> raw(Type type) {
    return switch (type) {
      case Class<?> plain -> plain;
      case ParameterizedType parameterized -> raw(parameterized.getRawType());
      case GenericArrayType array -> raw(array.getGenericComponentType()).arrayType();
      case TypeVariable<?> variable -> raw(variable.getBounds()[0]);
      default -> throw missing(type);
    };
  }

  private static AssertionError missing(Type type) {
    return new AssertionError("add a sample for " + type.getTypeName());
  }
}
