"""Makes the files of Keras that KerasNetworksTest reads, whose layers form no line, and their answers.

    KERAS_BACKEND=tensorflow python make_networks.py      # keras 3.x, tensorflow 2.x, h5py 3.x

Answers are in networks.txt, in the format of make.py: MODEL.INPUT for what is given, MODEL.k for output k.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import h5py
import keras
import numpy as np
from keras import layers

from make import HERE, randomise, write


def branches():
    x = keras.Input((None, 3), name="x")
    a = layers.Conv1D(4, 3, padding="same", activation="relu")(x)
    b = layers.LSTM(4, return_sequences=True)(x)
    both = layers.Concatenate()([layers.Add()([a, b]), layers.Average()([a, b]), layers.Multiply()([a, b])])
    y = layers.Dense(4, activation="tanh")(both)
    y = layers.Maximum()([y, layers.Subtract()([a, b])])
    return keras.Model(x, layers.GRU(2)(layers.Minimum()([y, a])))


def two():
    """Two inputs and three outputs, of which one is a state."""
    x, t = keras.Input((None, 3), name="x"), keras.Input((4,), name="t")
    y, h, c = layers.LSTM(4, return_sequences=True, return_state=True, name="reads")(x)
    z = layers.Dot(axes=1, name="likeness")([h, layers.Dense(4, name="wide")(t)])
    return keras.Model([t, x], [z, layers.Dense(2, name="head")(y), c])


def decoder():
    x, t = keras.Input((None, 3), name="x"), keras.Input((None, 2), name="t")
    _, h, c = layers.LSTM(4, return_state=True, name="encoder")(x)
    y, g, _ = layers.LSTM(4, return_sequences=True, return_state=True, name="decoder")(t, initial_state=[h, c])
    last = layers.GRU(4, name="last")(y, initial_state=g)
    return keras.Model({"x": x, "t": t}, [layers.Dense(3, activation="softmax", name="head")(y), last])


def pooled():
    x = keras.Input((5, 3), name="x")
    y = layers.Bidirectional(layers.GRU(3, return_sequences=True))(x)
    y = layers.Concatenate()([layers.GlobalAveragePooling1D()(y), layers.GlobalMaxPooling1D()(y), layers.LSTM(2)(y)])
    y = layers.RepeatVector(4)(layers.Dense(3)(y))
    return keras.Model(x, layers.LSTM(2, return_sequences=True)(y))


def inside():
    """A network inside a network, and steps joined."""
    x = keras.Input((None, 3), name="x")
    inner_in = keras.Input((None, 4))
    inner = keras.Model(inner_in, layers.Add()([layers.Dense(4)(inner_in), inner_in]))
    y = inner(layers.SimpleRNN(4, return_sequences=True)(x))
    return keras.Model(x, layers.Concatenate(axis=1)([y, layers.Dense(4)(x)]))


def halves():
    keras.config.set_dtype_policy("bfloat16")
    model = keras.Sequential([keras.Input((None, 3)), layers.LSTM(4, recurrent_initializer="zeros", return_sequences=True), layers.Dense(2)])
    keras.config.set_dtype_policy("float32")
    return model


def main():
    keras.utils.set_random_seed(14)
    rng = np.random.default_rng(14)
    with open(HERE / "networks.txt", "w") as out:
        out.write(f"# made by make_networks.py, keras {keras.__version__}, h5py {h5py.__version__}\n")
        for build in (branches, two, decoder, pooled, inside, halves):
            keras.utils.clear_session()
            model, name = build(), build.__name__
            randomise(model, rng)
            given = {}
            for tensor in model.inputs:
                sizes = [2, *(size or 6 for size in tensor.shape[1:])]
                given[tensor.name] = rng.normal(0, 1, sizes).astype("float32")
                write(out, f"{name}.{tensor.name if name != 'halves' else 'x'}", given[tensor.name])
            answers = model.predict(given if len(given) > 1 else list(given.values())[0], verbose=0)
            for k, y in enumerate(answers if isinstance(answers, list) else [answers]):
                write(out, f"{name}.{k}", y)
            model.save(HERE / f"{name}.keras")
        with h5py.File(HERE / "half.weights.h5") as file:
            for k, values in file["layers/dense/vars"].items():
                values = np.frombuffer(values[()].tobytes(), "uint16").reshape(values.shape).astype("uint32") << 16
                write(out, f"half.{k}", values.view("float32").reshape(-1, values.shape[-1]))


if __name__ == "__main__":
    main()
