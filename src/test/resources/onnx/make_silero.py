"""Makes silero.zip, which SileroTest and SpeechTest read: a small graph of the nodes of Silero's model of voice activity.

    python make_silero.py        # onnx 1.23, onnxruntime, numpy
    python make_silero.py FILE   # tells which operators of that file, such as the true model's, the small graph lacks

The graph has the inputs, the outputs, the windows and the nodes of the model in the package @ricky0123/vad-web 0.0.31
(branches for two sample rates, a Fourier transform as a convolution over frames, an encoder, an LSTM whose state is an
input and an output, sizes that decide branches), fewer features, and weights drawn at random. Nothing of that file is in
it. ONNX Runtime answers. The format is that of recurrent/make.py; in/input has chunks × batch × window, and out/output
chunks × batch × 1.
"""

import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent
BINS, FIRST, SECOND, UNITS = 9, 8, 4, 8
OPSET = 16


class Graph:
    """Nodes in order; constants get names of their own."""

    def __init__(self, name, prefix):
        self.name, self.prefix, self.nodes = name, prefix, []

    def constant(self, value):
        return self.node("Constant", value=numpy_helper.from_array(np.asarray(value)))

    def longs(self, *values):
        return self.constant(np.array(values, np.int64))

    def long(self, value):
        return self.constant(np.array(value, np.int64))

    def node(self, operator, *inputs, outputs=1, **attributes):
        names = [f"{self.prefix}{operator}_{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, name=names[0], **attributes))
        return names[0] if outputs == 1 else names

    def proto(self, *outputs):
        infos = [onnx.ValueInfoProto(name=n) for n in outputs]
        for info in infos:
            info.type.tensor_type.elem_type = TensorProto.FLOAT
        return helper.make_graph(self.nodes, self.name, [], infos)

    def either(self, condition, yes, no):
        """An If whose branches are functions of a graph of their own, which give a name or several."""
        branches, count = [], 1
        for k, make in enumerate([yes, no]):
            inner = Graph(f"branch{k}", f"{self.prefix}{len(self.nodes)}_{k}/")
            result = make(inner)
            result = [result] if isinstance(result, str) else result
            count = len(result)
            branches.append(inner.proto(*result))
        return self.node("If", condition, outputs=count, then_branch=branches[0], else_branch=branches[1])

    def size_is(self, x, axis, value):
        size = self.node("Gather", self.node("Shape", x), self.long(axis), axis=0)
        return self.node("Equal", size, self.long(value))

    def slice(self, x, start, end, axis, step=1):
        return self.node("Slice", x, self.longs(start), self.longs(end), self.longs(axis), self.longs(step))


def weights(random, *shape):
    scale = 3 / np.sqrt(np.prod(shape[1:]) if len(shape) > 1 else 4)
    return (random.standard_normal(shape) * scale).astype(np.float32)


def fourier(window):
    """The real parts of some frequencies above the imaginary ones, under a Hann window."""
    n = np.arange(window)
    angles = 2 * np.pi * np.outer(np.linspace(0, window // 2, BINS), n) / window
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * n / window)
    return np.concatenate([np.cos(angles), -np.sin(angles)])[:, None].astype(np.float32) * hann.astype(np.float32)


def spectrum(g, window):
    """As PyTorch exports a reflection of samples behind the last one, and the absolute values of the transform."""
    zeros = g.node("ConstantOfShape", g.longs(2), value=numpy_helper.from_array(np.array([0], np.int64)))
    pads = g.node("Concat", g.longs(0, window // 4), zeros, axis=0)
    pads = g.slice(g.node("Reshape", pads, g.longs(-1, 2)), -1, -np.iinfo(np.int64).max, 0, -1)
    pads = g.node("Reshape", g.node("Transpose", pads, perm=[1, 0]), g.longs(-1))
    x = g.node("Pad", "input", g.node("Cast", pads, to=TensorProto.INT64), mode="reflect")
    x = g.node("Unsqueeze", x, g.longs(1))
    x = g.node("Conv", x, g.constant(fourier(window)), dilations=[1], group=1, kernel_shape=[window], pads=[0, 0],
               strides=[window // 2])
    far = np.iinfo(np.int64).max
    real = g.slice(g.slice(g.slice(x, 0, far, 0), 0, BINS, 1), 0, far, 2)
    other = g.slice(g.slice(x, 0, far, 0), BINS, far, 1)
    squares = [g.node("Pow", g.node("Cast", part, to=TensorProto.FLOAT), g.constant(np.float32(2))) for part in [real, other]]
    return g.node("Sqrt", g.node("Add", *squares))


def encoder(g, random, x):
    for fan_in, fan_out, stride in [(BINS, FIRST, 1), (FIRST, SECOND, 2), (SECOND, SECOND, 2), (SECOND, UNITS, 1)]:
        w, b = g.constant(weights(random, fan_out, fan_in, 3)), g.constant(np.abs(weights(random, fan_out)))
        x = g.node("Conv", x, w, b, dilations=[1], group=1, kernel_shape=[3], pads=[1, 1], strides=[stride])
        x = g.node("Relu", x)
    return g.either(g.size_is(x, 2, 1), lambda h: h.node("Squeeze", x, h.longs(-1)), lambda h: h.node("Identity", x))


def gates(g, values):
    """PyTorch's order input, forget, cell, output becomes ONNX's: input, output, forget, cell."""
    parts = [g.slice(values, a * UNITS, b * UNITS, 0) for a, b in [(0, 1), (3, 4), (1, 3)]]
    return g.node("Concat", *parts, axis=0)


def cell(g, random, x):
    """PyTorch's LSTMCell, of which a state that is not empty is the start."""
    w = [weights(random, 4 * UNITS, UNITS), weights(random, 4 * UNITS, UNITS), weights(random, 4 * UNITS),
         weights(random, 4 * UNITS)]
    wi, wh, bi, bh = [g.constant(part) for part in w]

    def step(h, state):
        length = h.node("Size", h.node("Shape", x))
        batched = h.node("Not", h.node("Equal", length, h.long(2)))
        rows = h.either(h.node("Cast", batched, to=TensorProto.BOOL), lambda i: i.node("Unsqueeze", x, i.longs(0)),
                        lambda i: i.node("Identity", x))
        one = h.longs(0)
        both = h.node("Concat", gates(h, bi), gates(h, bh), axis=0)
        inputs = [h.node("Unsqueeze", part, one) for part in [rows, gates(h, wi), gates(h, wh), both]]
        starts = [h.node("Unsqueeze", part, one) for part in state(h)]
        _, last_h, last_c = h.node("LSTM", *inputs, "", *starts, outputs=3, hidden_size=UNITS)
        return [h.node("Squeeze", last_h, one), h.node("Squeeze", last_c, one)]

    def zeros(h):
        batch = h.node("Gather", h.node("Shape", x), h.long(0), axis=0)
        shape = h.node("Concat", h.node("Unsqueeze", batch, h.longs(0)), h.longs(UNITS), axis=0)
        filled = h.node("ConstantOfShape", shape)
        return [filled, filled]

    length = g.node("Gather", g.node("Shape", "state"), g.longs(0), axis=0)
    known = g.node("Cast", g.node("Squeeze", length, g.longs(0)), to=TensorProto.BOOL)
    return g.either(
        known,
        lambda h: step(h, lambda i: [i.node("Gather", "state", i.long(part), axis=0) for part in [0, 1]]),
        lambda h: step(h, zeros))


def model(g, random, window):
    x = encoder(g, random, spectrum(g, window))
    h, c = cell(g, random, x)
    states = g.node("Concat", g.node("Unsqueeze", h, g.longs(0)), g.node("Unsqueeze", c, g.longs(0)), axis=0)
    y = g.node("Relu", g.node("Unsqueeze", h, g.longs(-1)))
    y = g.node("Conv", y, g.constant(weights(random, 1, UNITS, 1)), g.constant(weights(random, 1)), dilations=[1], group=1,
               kernel_shape=[1], pads=[0, 0], strides=[1])
    y = g.node("Sigmoid", y)
    y = g.either(g.size_is(y, 1, 1), lambda i: i.node("Squeeze", y, i.longs(1)), lambda i: i.node("Identity", y))
    y = g.node("Unsqueeze", g.node("ReduceMean", y, axes=[1], keepdims=0), g.longs(1))
    return [g.node("Identity", y), g.node("Identity", states)]


def whole():
    random = np.random.default_rng(36)
    g = Graph("main", "")
    y, states = g.either(g.node("Equal", "sr", g.long(16000)), lambda h: model(h, random, 256), lambda h: model(h, random, 128))
    g.nodes += [helper.make_node("Identity", [y], ["output"]), helper.make_node("Identity", [states], ["stateN"])]
    F = TensorProto.FLOAT
    inputs = [helper.make_tensor_value_info("input", F, [None, None]),
              helper.make_tensor_value_info("state", F, [2, None, UNITS]),
              helper.make_tensor_value_info("sr", TensorProto.INT64, [])]
    outputs = [helper.make_tensor_value_info("output", F, [None, 1]),
               helper.make_tensor_value_info("stateN", F, [None, None, None])]
    graph = helper.make_graph(g.nodes, "silero_like", inputs, outputs)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(proto)
    return proto


def operators(graph, found):
    for node in graph.node:
        found.add(node.op_type)
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                operators(attribute.g, found)
    return found


def add(archive, name, proto, rate, batch, chunks=6):
    session = onnxruntime.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    window = 576 if rate == 16000 else 288
    x = (0.3 * np.random.default_rng(batch).standard_normal((chunks, batch, window))).astype(np.float32)
    state, answers = np.zeros((2, batch, UNITS), np.float32), []
    for chunk in x:
        y, state = session.run(None, {"input": chunk, "state": state, "sr": np.array(rate, np.int64)})
        answers.append(y)
    assert np.std(answers) > 0.01, answers
    values = {"in/input": x, "out/output": np.stack(answers), "out/stateN": state}
    data = helper.make_graph([], "data", [], [], initializer=[numpy_helper.from_array(v, n) for n, v in values.items()])
    data = helper.make_model(data, opset_imports=[helper.make_opsetid("", 14)])
    for suffix, message in ((".onnx", proto), (".data", data)):
        entry = zipfile.ZipInfo(name + suffix, (2026, 1, 1, 0, 0, 0))  # the same bytes on every run
        archive.writestr(entry, message.SerializeToString(deterministic=True), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    small = whole()
    if len(sys.argv) > 1:
        true = operators(onnx.load(sys.argv[1]).graph, set())
        print("only in", sys.argv[1], sorted(true - operators(small.graph, set())))
    else:
        with zipfile.ZipFile(HERE / "silero.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            add(archive, "16000", small, 16000, 1)
            add(archive, "16000_batch", small, 16000, 3)
            add(archive, "8000", small, 8000, 2)
