"""Makes the files of Keras that KerasFileTest and its neighbours read, and their answers.

    KERAS_BACKEND=tensorflow python make.py      # keras 3.x, tensorflow 2.x, h5py 3.x

Answers are in the format of ../pytorch/make.py: name, dims with the first dimension contiguous, values. A sequence of
Keras, [batch, time, features], stands there as features x batch x time.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

from pathlib import Path

import h5py
import keras
import numpy as np
from keras import layers

HERE = Path(__file__).parent


def text():
    """The model of the guide."""
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            layers.Embedding(7, 3),
            layers.LSTM(4, return_sequences=True, name="reads"),
            layers.Bidirectional(layers.GRU(3, return_sequences=True), name="both"),
            layers.TimeDistributed(layers.Dense(5, activation="softmax"), name="head"),
        ]
    )


def last():
    x = keras.Input((None, 3), name="x")
    y = layers.Masking(-1.0)(x)
    y = layers.Bidirectional(layers.LSTM(4))(y)
    y = layers.LayerNormalization()(y)
    y = layers.Dropout(0.5)(y)
    y = layers.Dense(2, activation="tanh", use_bias=False)(y)
    return keras.Model(x, y)


def grus():
    return keras.Sequential(
        [
            keras.Input((None, 3)),
            layers.GRU(4, reset_after=False, return_sequences=True, dropout=0.2, recurrent_dropout=0.1),
            layers.GRU(4, reset_after=True, return_sequences=True, go_backwards=True),
            layers.GRU(3, use_bias=False, return_sequences=True, recurrent_activation="hard_sigmoid"),
            layers.GRU(3, reset_after=False, return_sequences=True, activation="softsign"),
            layers.GRU(2, return_sequences=True, recurrent_activation="hard_sigmoid"),
            layers.SimpleRNN(3, activation="relu", return_sequences=True),
            layers.SimpleRNN(2, use_bias=False),
        ]
    )


def lstms():
    return keras.Sequential(
        [
            keras.Input((None, 3)),
            layers.LSTM(4, return_sequences=True, use_bias=False, unroll=False),
            layers.LSTM(4, return_sequences=True, activation="relu", recurrent_activation="hard_sigmoid"),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True), merge_mode="sum"),
            layers.Bidirectional(layers.SimpleRNN(3, return_sequences=True), merge_mode="ave"),
            layers.RNN([layers.LSTMCell(4), layers.GRUCell(3), layers.SimpleRNNCell(4), layers.LSTMCell(2)],
                       return_sequences=True),
            layers.RNN(layers.GRUCell(3, reset_after=False), go_backwards=True, return_sequences=True),
            layers.Bidirectional(layers.GRU(2), merge_mode="ave"),
        ]
    )


def convs():
    return keras.Sequential(
        [
            keras.Input((None, 3)),
            layers.Conv1D(4, 3, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.Conv1D(4, 2, padding="causal", strides=2, use_bias=False),
            layers.Conv1D(6, 2, groups=2, dilation_rate=1),
            layers.BatchNormalization(scale=False, center=False),
            layers.LayerNormalization(center=False),
            layers.ReLU(),
            layers.TimeDistributed(layers.Dense(3, activation="silu")),
            layers.Dense(3),
            layers.Softmax(),
            layers.Activation("softplus"),
        ]
    )


def masked():
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            layers.Embedding(7, 3, mask_zero=True),
            layers.LSTM(4, return_sequences=True),
            layers.GRU(3),
            layers.Dense(2),
        ]
    )


def marked():
    """Masks of an embedding in a functional model."""
    x = keras.Input((None,), dtype="int32")
    y = layers.Embedding(7, 3, mask_zero=True)(x)
    y = layers.LSTM(4, return_sequences=True)(y)
    y = layers.Dense(3)(y)
    return keras.Model(x, layers.GRU(2)(y))


def nested():
    inner = keras.Sequential([keras.Input((None, 3)), layers.Dense(4, activation="tanh"), layers.LSTM(3, return_sequences=True)])
    x = keras.Input((None, 3))
    y = layers.LSTM(3, return_sequences=True)(x)
    y = inner(y)
    y = layers.Dense(3)(y)
    tail_in = keras.Input((None, 3))
    tail = keras.Model(tail_in, layers.Dense(2)(layers.GRU(3)(tail_in)))
    return keras.Model(x, tail(y))


def types():
    return keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(4, dtype="float16"),
            layers.Dense(4),
            layers.Dense(3, dtype="float64"),
        ]
    )


def randomise(model, rng):
    for variable in model.variables:
        if "seed" in variable.path:
            continue
        values = rng.normal(0, 0.5, variable.shape)
        if "variance" in variable.path:
            values = np.abs(values) + 0.5
        variable.assign(values.astype("float32"))


def write(out, name, values):
    values = np.asarray(values, "float32")
    if values.ndim == 3:
        values = values.transpose(1, 0, 2)
        dims = (values.shape[2], values.shape[1], values.shape[0])
    else:
        dims = (values.shape[1], values.shape[0])
    out.write(f"{name} {'x'.join(map(str, dims))} {' '.join(repr(float(v)) for v in values.ravel())}\n")


def write_indexes(out, name, values):
    out.write(f"{name} {values.shape[0]}x{values.shape[1]} {' '.join(str(v) for v in values.T.ravel())}\n")


def main():
    keras.utils.set_random_seed(14)
    rng = np.random.default_rng(14)
    with open(HERE / "answers.txt", "w") as out:
        out.write(f"# made by make.py, keras {keras.__version__}, h5py {h5py.__version__}\n")
        models = {}
        for build in (text, last, grus, lstms, convs, masked, nested, marked, types):
            keras.utils.clear_session()  # names begin anew
            models[build.__name__] = build()
        for name, model in models.items():
            randomise(model, rng)
            if name in ("text", "masked", "marked"):
                x = rng.integers(1, 7, (2, 5))
            elif name == "types":
                x = rng.normal(0, 1, (5, 3)).astype("float32")
            else:
                x = rng.normal(0, 1, (2, 9 if name == "convs" else 6, 3)).astype("float32")
            if name == "text":  # an optimiser's memory is in the file
                model.compile("adam", "sparse_categorical_crossentropy")
                model.fit(x, rng.integers(0, 5, (2, 5)), verbose=0)
            if name in ("text", "masked", "marked"):
                write_indexes(out, name + ".x", x)
            else:
                write(out, name + ".x", x)
            write(out, name + ".y", model.predict(x, verbose=0))
            if name in ("last", "masked", "marked"):  # lengths 5 and 2
                short = x.copy()
                short[0, 5:] = short[1, 2:] = -1 if name == "last" else 0
                (write if name == "last" else write_indexes)(out, name + ".short", short)
                write(out, name + ".short.y", model.predict(short, verbose=0))
            model.save(HERE / f"{name}.keras")
        for name in ("text",):
            models[name].save_weights(HERE / f"{name}.weights.h5")
            (HERE / f"{name}.json").write_text(models[name].to_json())
        for name in ("last", "grus", "lstms", "convs"):
            models[name].save(HERE / f"{name}.h5")
    keras.utils.clear_session()
    half = keras.Sequential([keras.Input((3,)), layers.Dense(2, dtype="bfloat16")])
    half.save_weights(HERE / "half.weights.h5")
    with h5py.File(HERE / "chunked.h5", "w") as file:  # Keras writes neither chunks nor filters
        file.create_dataset("layers/dense/vars/0", data=np.zeros((8, 4), "float32"), chunks=(4, 4), compression="gzip")


if __name__ == "__main__":
    main()
