"""Makes BACKEND.zip: graphs that model.export(format="onnx") of Keras writes, with inputs and Keras's own answers.

    KERAS_BACKEND=torch python make.py             # keras 3.15, torch 2.13, onnx, onnxruntime, onnxscript
    KERAS_BACKEND=tensorflow python make.py        # keras 3.15, tensorflow 2.21, onnx, onnxruntime, tf2onnx

With TensorFlow Keras calls tf2onnx, whose last release knows no numpy 2: a checkout of its main branch on PYTHONPATH does.
For each model there is NAME.onnx, and NAME.data as ../recurrent/make.py writes it. Where the exporter keeps them open, the
inputs have another batch and another length than those of the export. What Keras itself refuses to
export, or exports as another model (ONNX Runtime answers otherwise), is printed.
Names of models after the command make these alone.
"""

import os
import pathlib
import sys
import tempfile

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import onnx
import onnxruntime
from keras import layers

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "recurrent"))
import make as archive

BACKEND = keras.backend.backend()
# With torch the steps are unrolled, so that their number is fixed.
TIME = None if BACKEND == "tensorflow" else 4
SEQUENCES = dict(return_sequences=True)


def sequential(*all, classes=False, batch=None):
    first = keras.Input((TIME,) if classes else (TIME, 3), batch_size=batch, dtype="int32" if classes else None)
    return keras.Sequential([first, *all])


def states():
    x = keras.Input((TIME, 3), name="x")
    y, h, c = layers.LSTM(4, return_sequences=True, return_state=True)(x)
    z, g = layers.GRU(3, return_state=True)(y)
    return keras.Model(x, [z, h, c, g])


def decoder():
    """An encoder's states begin a decoder."""
    x, y = keras.Input((TIME, 3), name="x"), keras.Input((TIME, 3), name="t")
    _, h, c = layers.LSTM(4, return_state=True)(x)
    z = layers.LSTM(4, return_sequences=True)(y, initial_state=[h, c])
    return keras.Model([x, y], layers.Dense(2)(z))


def branches():
    x = keras.Input((TIME, 3), name="x")
    a = layers.Conv1D(4, 3, padding="causal", activation="relu")(x)
    b = layers.LSTM(4, return_sequences=True)(x)
    y = layers.Concatenate()([layers.Add()([a, b]), layers.Average()([a, b]), layers.Multiply()([a, b])])
    return keras.Model(x, layers.Dense(2, activation="softmax")(layers.GlobalAveragePooling1D()(y)))


MODELS = {
    "lstm": lambda: sequential(layers.LSTM(4, **SEQUENCES), layers.Dense(2)),
    "lstm_last": lambda: sequential(layers.LSTM(4), layers.Dense(2, activation="tanh")),
    "lstm_without_bias": lambda: sequential(layers.LSTM(4, use_bias=False, **SEQUENCES)),
    "lstm_functions": lambda: sequential(
        layers.LSTM(4, activation="relu", recurrent_activation="hard_sigmoid", **SEQUENCES)
    ),
    "gru": lambda: sequential(layers.GRU(4, **SEQUENCES), layers.Dense(2)),
    "gru_before": lambda: sequential(layers.GRU(4, reset_after=False, **SEQUENCES), layers.Dense(2)),
    "gru_without_bias": lambda: sequential(layers.GRU(4, use_bias=False)),
    "rnn": lambda: sequential(layers.SimpleRNN(4, **SEQUENCES), layers.SimpleRNN(3)),
    "backwards": lambda: sequential(
        layers.LSTM(4, go_backwards=True, **SEQUENCES), layers.GRU(4, go_backwards=True, reset_after=False)
    ),
    "both": lambda: sequential(
        layers.Bidirectional(layers.LSTM(4, **SEQUENCES)),
        layers.Bidirectional(layers.GRU(3, **SEQUENCES), merge_mode="sum"),
        layers.Bidirectional(layers.GRU(2, reset_after=False)),
    ),
    "stack": lambda: sequential(
        layers.RNN([layers.LSTMCell(4), layers.GRUCell(3)], **SEQUENCES),
        layers.Dense(3, activation="silu"),
        layers.LayerNormalization(),
        layers.Dropout(0.5),
        layers.LSTM(2),
    ),
    "distributed": lambda: sequential(layers.LSTM(4, **SEQUENCES), layers.TimeDistributed(layers.Dense(3))),
    "unrolled": lambda: keras.Sequential(
        [keras.Input((4, 3)), layers.LSTM(4, unroll=True, **SEQUENCES), layers.GRU(3, unroll=True)]
    ),
    "masked": lambda: sequential(layers.Masking(-1.0), layers.LSTM(4, **SEQUENCES), layers.GRU(3)),
    "words": lambda: sequential(
        layers.Embedding(7, 3, mask_zero=True), layers.Bidirectional(layers.LSTM(4)), layers.Dense(5), classes=True
    ),
    "text": lambda: sequential(
        layers.Embedding(7, 3), layers.GRU(4, **SEQUENCES), layers.Dense(5, activation="softmax"), classes=True
    ),
    "stateful": lambda: sequential(layers.LSTM(4, stateful=True, **SEQUENCES), layers.Dense(2), batch=2),
    "convolution": lambda: sequential(
        layers.Conv1D(4, 3, padding="same", activation="relu"), layers.BatchNormalization(), layers.LSTM(3)
    ),
    "states": states,
    "decoder": decoder,
    "branches": branches,
}


def randomise(model, rng):
    for variable in model.variables:
        if "seed" not in variable.path and "state" not in variable.path:
            values = rng.normal(0, 0.5, variable.shape)
            variable.assign((np.abs(values) + 0.5 if "variance" in variable.path else values).astype("float32"))


def given(name, tensor, rng):
    batch = tensor.shape[0] or 3
    time = tensor.shape[1] or 6
    if "int" in tensor.dtype:
        x = rng.integers(1, 7, (batch, time)).astype("int32")
        x[0, time - 2 :] = 0
        return x
    x = rng.normal(0, 1, (batch, time, tensor.shape[2])).astype("float32")
    if name == "masked":
        x[0, time - 2 :] = x[1, 1] = -1  # behind the end, and within
    return x


def reset(model):
    """A graph begins with the state that a model had when it was exported."""
    for layer in model.layers:
        if getattr(layer, "stateful", False):
            layer.reset_states()


def made(name, fixed=False):
    keras.utils.clear_session()
    rng = np.random.default_rng(14)
    model = MODELS[name]()
    randomise(model, rng)
    inputs = [given(name, tensor, rng) for tensor in model.inputs]
    signature = None
    if fixed:
        signature = [keras.InputSpec(shape=x.shape, dtype=str(x.dtype), name="x") for x in inputs]
    elif BACKEND == "torch" and name != "stateful":
        signature = [
            keras.InputSpec(shape=(None, *x.shape[1:]), dtype=str(x.dtype), name=tensor.name)
            for tensor, x in zip(model.inputs, inputs)
        ]
    model.predict([np.repeat(x[:1], len(x) if name == "stateful" else 2, 0) for x in inputs], verbose=0)
    reset(model)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/model.onnx"
        model.export(path, format="onnx", verbose=False, input_signature=signature)
        proto = onnx.load(path)
    answers = model.predict(inputs, verbose=0)
    answers = answers if isinstance(answers, list) else [answers]
    given_names = {port.name: x for port, x in zip(proto.graph.input, inputs)}
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    worst = max(float(np.abs(a - b).max()) for a, b in zip(session.run(None, given_names), answers))
    if worst > 1e-4:
        raise ValueError(f"the graph is another model: ONNX Runtime answers {worst:.2g} off")
    print(name, sorted({node.op_type for node in proto.graph.node}))
    return (
        name + ("_fixed" if fixed else ""),
        proto,
        given_names,
        {port.name: y for port, y in zip(proto.graph.output, answers)},
    )


def models(names):
    for name in names or MODELS:
        for fixed in (False, True) if BACKEND == "torch" and name in ("lstm", "gru") else (False,):
            try:
                yield made(name, fixed)
            except Exception as e:
                print(name, "is not exported:", type(e).__name__, str(e).splitlines()[0][:200])


if __name__ == "__main__":
    archive.HERE = pathlib.Path(__file__).parent
    archive.write(BACKEND + ".zip", list(models(sys.argv[1:])))
