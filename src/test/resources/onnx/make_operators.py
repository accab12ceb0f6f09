"""Makes operators.zip, which OperatorsTest reads: models of one operator or a few, with inputs and answers.

    python make_operators.py      # onnx 1.23, onnxruntime 1.30, numpy

A case is in the format of recurrent/make.py: NAME.onnx, and NAME.data with in/X, ..., out/Y, .... It comes from ONNX's own
node tests, where these give small tensors of float32, int32, int64 or bool; or it is written below, and ONNX Runtime answers.
"""

import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.backend.test.case import node as published
from onnx.reference import ReferenceEvaluator

HERE = Path(__file__).parent
NEWEST = 26  # opset

# Where onnx.reference computes another opset or refuses an attribute.
UNLIKE = ("_backward", "softmax_11", "softmax_default_11", "loop_over_a_cell", "_norm", "norm_9")

TYPES = {"float32", "int32", "int64", "bool"}

# fmt: off
PUBLISHED = [
    "Abs", "Add", "And", "ArgMax", "ArgMin", "BatchNormalization", "Cast", "Ceil", "Celu", "Clip", "Concat", "Constant",
    "ConstantOfShape", "Conv", "Cos", "Div", "Dropout", "Elu", "Equal", "Erf", "Exp", "Expand", "Flatten", "Floor",
    "Gather", "Gelu", "Gemm", "GlobalAveragePool", "GlobalMaxPool", "Greater", "GreaterOrEqual", "HardSigmoid", "HardSwish", "Identity", "If", "LayerNormalization",
    "LeakyRelu", "Less", "LessOrEqual", "Log", "LogSoftmax", "Loop", "MatMul", "Max", "Mean", "Min", "Mish", "Mod", "Mul", "Neg",
    "Not", "Or", "PRelu", "Pad", "Pow", "Range", "Reciprocal", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax",
    "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare", "Relu", "Reshape", "ReverseSequence", "Scan",
    "ScatterElements", "Selu",
    "Shape", "Sigmoid", "Sin", "Size", "Slice", "Softmax", "Softplus", "Softsign", "Split", "Sqrt", "Squeeze", "Sub",
    "Sum", "Tanh", "ThresholdedRelu", "Tile", "TopK", "Transpose", "Unsqueeze", "Where", "Xor",
]
# fmt: on


class Cases:
    def __init__(self, path):
        self.zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
        self.names = set()

    def entry(self, name, message):
        info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))  # the same bytes on every run
        info.compress_type = zipfile.ZIP_DEFLATED
        self.zip.writestr(info, message.SerializeToString(deterministic=True))

    def add(self, name, model, inputs, outputs):
        assert name not in self.names, name
        self.names.add(name)
        given = ["in/" + port.name for port in model.graph.input]
        asked = ["out/" + port.name for port in model.graph.output]
        values = [numpy_helper.from_array(np.asarray(value), port)
                  for port, value in zip([*given, *asked], [*inputs, *outputs], strict=True)]
        data = helper.make_graph([], "data", [], [], initializer=values)
        self.entry(f"{name}.onnx", model)
        self.entry(f"{name}.data", helper.make_model(data, opset_imports=[helper.make_opsetid("", 14)]))


def fits(value):
    return isinstance(value, (np.ndarray, np.generic)) and value.dtype.name in TYPES and value.size <= 3000


def add_published(cases):
    for case in sorted(published.collect_testcases(None), key=lambda case: case.name):
        operator = case.model.graph.node[0].op_type
        if operator not in PUBLISHED or "_expanded" in case.name or len(case.model.graph.node) != 1:
            continue
        ((inputs, outputs),) = case.data_sets
        if all(map(fits, [*inputs, *outputs])):
            for opset in case.model.opset_import:  # newer and older ones say the same of these operators
                opset.version = min(max(opset.version, 7), NEWEST)
            cases.add(case.name, case.model, inputs, outputs)


def random(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def longs(*values):
    return np.array(values, np.int64)


def N(operator, inputs, outputs="y", **attributes):
    return helper.make_node(operator, inputs.split(" "), outputs.split(" "), **attributes)


class Own:
    """Cases that ONNX Runtime answers."""

    def __init__(self, cases):
        self.cases = cases

    def run(self, name, model, inputs):
        """ONNX Runtime's answers; those of onnx.reference, which agree but for UNLIKE, where it refuses."""
        known = None if name.endswith(UNLIKE) else ReferenceEvaluator(model).run(None, inputs)
        try:
            session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
            answers = session.run(None, inputs)
        except Exception as e:
            print(name, "only in onnx.reference:", str(e).splitlines()[0][-120:])
            return known
        for ours, theirs in zip(answers, known or answers, strict=True):
            np.testing.assert_allclose(ours, theirs, 1e-3, 1e-6, err_msg=name)
        return answers

    def of(self, name, opset, nodes, inputs, weights=None, outputs="y", answers=None):
        """inputs: what a caller gives; weights: initializers; answers: in place of ONNX Runtime's."""
        nodes = nodes if isinstance(nodes, list) else [nodes]
        shaped = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape)
                  for n, v in inputs.items()]
        results = [onnx.ValueInfoProto(name=n) for n in outputs.split(" ")]
        graph = helper.make_graph(nodes, name, shaped, results,
                                  [numpy_helper.from_array(v, n) for n, v in (weights or {}).items()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
        answers = answers or self.run(name, model, inputs)
        for info, answer in zip(results, answers):
            info.CopyFrom(helper.make_tensor_value_info(
                info.name, helper.np_dtype_to_tensor_dtype(np.asarray(answer).dtype), np.asarray(answer).shape))
        del graph.output[:]
        graph.output.extend(results)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)
        self.cases.add(name, model, list(inputs.values()), answers)


def add_convolutions(own):
    w, b = random(4, 3, 3, seed=1), random(4, seed=2)
    x = {"x": random(2, 3, 7)}
    for name, attributes in {
        "plain": {}, "pads": {"pads": [2, 1]}, "stride": {"strides": [2], "pads": [1, 1]}, "dilation": {"dilations": [2]},
        "all": {"strides": [3], "dilations": [2], "pads": [0, 3], "kernel_shape": [3], "group": 1},
        "same_upper": {"auto_pad": "SAME_UPPER", "strides": [2]}, "same_lower": {"auto_pad": "SAME_LOWER", "strides": [2]},
        "valid": {"auto_pad": "VALID"},
    }.items():
        own.of(f"conv_1d_{name}", 11, N("Conv", "x w b", **attributes), x, {"w": w, "b": b})
    for name, axis in {"row": 2, "column": 3}.items():  # over two dimensions, of which one has size 1
        flat = lambda v: np.expand_dims(v, axis)
        pads, strides = ([0, 2, 0, 1], [1, 2]) if axis == 2 else ([2, 0, 1, 0], [2, 1])
        own.of(f"conv_2d_{name}", 11, N("Conv", "x w b", pads=pads, strides=strides), {"x": flat(x["x"])},
               {"w": flat(w), "b": b})
    own.of("conv_1d_without_bias", 22, N("Conv", "x w", pads=[1, 1]), x, {"w": w})
    own.of("conv_1d_frames", 11, N("Conv", "x w", strides=[2]), {"x": random(3, 1, 11)}, {"w": random(5, 1, 4, seed=1)})
    own.of("conv_1d_frames_padded", 11, N("Conv", "x w b", strides=[2], pads=[1, 2]), {"x": random(3, 1, 11)},
           {"w": random(5, 1, 4, seed=1), "b": random(5, seed=3)})
    own.of("conv_1d_frames_dilated", 11, N("Conv", "x w", dilations=[3]), {"x": random(3, 1, 11)},
           {"w": random(5, 1, 3, seed=1)})
    own.of("conv_1d_pointwise", 11, N("Conv", "x w b"), x, {"w": random(4, 3, 1, seed=1), "b": b})
    own.of("conv_1d_groups", 11, N("Conv", "x w b", group=2, pads=[1, 1]), {"x": random(2, 4, 6)},
           {"w": random(6, 2, 3, seed=1), "b": random(6, seed=2)})
    own.of("conv_1d_depthwise", 11, N("Conv", "x w", group=4), {"x": random(2, 4, 6)}, {"w": random(4, 1, 3, seed=1)})
    own.of("conv_1d_computed_weights", 13, [N("Mul", "w v", "u"), N("Conv", "x u b")], x,
           {"w": w, "v": random(4, 1, 1, seed=5), "b": b})
    own.of("conv_1d_one_step", 11, N("Conv", "x w b"), {"x": random(2, 3, 3)}, {"w": w, "b": b})
    # What comes behind sees the order in which ONNX writes the values.
    first = N("Conv", "x w b", "c", pads=[1, 1])
    weights = {"w": w, "b": b}
    behind = {
        "conv": ([N("Relu", "c", "r"), N("Conv", "r w2 b", strides=[2])], {"w2": random(4, 4, 2, seed=3)}),
        "flatten": ([N("Flatten", "c")], {}),
        "reshape": ([N("Reshape", "c s")], {"s": longs(2, 2, -1)}),
        "transpose": ([N("Transpose", "c", perm=[2, 0, 1])], {}),
        "transpose_matmul": ([N("Transpose", "c", "t", perm=[0, 2, 1]), N("MatMul", "t m")], {"m": random(4, 5, seed=4)}),
        "matmul": ([N("MatMul", "c m")], {"m": random(7, 5, seed=4)}),
        "softmax": ([N("Softmax", "c", axis=1)], {}),
        "mean": ([N("ReduceMean", "c", axes=[2], keepdims=0)], {}),
        "mean_channels": ([N("ReduceMean", "c", axes=[1])], {}),
        "mean_all": ([N("ReduceMean", "c")], {}),
        "add_x": ([N("Conv", "x w b", "d", pads=[1, 1]), N("Relu", "d", "e"), N("Add", "c e")], {}),
        "add_order": ([N("Add", "c o")], {"o": random(2, 4, 7, seed=6)}),
        "mul_channels": ([N("Mul", "c o")], {"o": random(4, 1, seed=6)}),
        "mul_steps": ([N("Mul", "c o")], {"o": random(7, seed=6)}),
        "slice": ([N("Slice", "c s e a")], {"s": longs(1, 2), "e": longs(3, 6), "a": longs(1, 2)}),
        "split": ([N("Split", "c", "y z", axis=1)], {}),
        "concat": ([N("Relu", "c", "r"), N("Concat", "c r", axis=1)], {}),
        "gather": ([N("Gather", "c i", axis=2)], {"i": np.array(-1, np.int64)}),
        "pad": ([N("Pad", "c p")], {"p": longs(0, 0, 2, 0, 1, 1)}),
        "norm": ([N("BatchNormalization", "c g g g v")], {"g": random(4, seed=7), "v": np.abs(random(4, seed=8)) + 0.5}),
        "squeeze": ([N("Slice", "c s e a", "f"), N("Squeeze", "f a")], {"s": longs(6), "e": longs(7), "a": longs(2)}),
    }
    for name, (nodes, more) in behind.items():
        own.of(f"conv_1d_then_{name}", 13, [first, *nodes], x, weights | more, "y z" if name == "split" else "y")


def add_pads(own):
    x = {"x": random(2, 3, 4)}
    for mode in ["constant", "reflect", "edge", "wrap"]:
        own.of(f"pad_{mode}_inside", 19, N("Pad", "x p", mode=mode), x, {"p": longs(0, 1, 2, 1, 0, 3)})
        cut = np.pad(x["x"][:, 1:, :-1], [(0, 0), (0, 1), (1, 0)], mode)  # numpy takes no negative number
        own.of(f"pad_{mode}_negative", 19, N("Pad", "x p", mode=mode), x, {"p": longs(0, -1, 1, 0, 1, -1)}, answers=[cut])
    own.of("pad_reflect_longer", 19, N("Pad", "x p", mode="reflect"), {"x": random(1, 3)}, {"p": longs(0, 5, 0, 7)})
    own.of("pad_value", 13, N("Pad", "x p v"), x, {"p": longs(1, 0, 0, 0, 0, 2), "v": np.array(-2.5, np.float32)})
    own.of("pad_axes", 18, N("Pad", "x p v a"), x,
           {"p": longs(1, 2), "v": np.array(1, np.float32), "a": longs(-1)})
    own.of("pad_samples", 13, N("Pad", "x p", mode="reflect"), {"x": random(3, 9)}, {"p": longs(0, 0, 0, 4)})
    own.of("pad_longs", 13, N("Pad", "x p v"), {"x": longs(3, 4)}, {"p": longs(1, 2), "v": np.array(7, np.int64)})


def add_opsets(own):
    """Forms that a later opset has changed."""
    x = {"x": random(2, 1, 3, 1)}
    y = {"x": random(2, 3, 4)}
    own.of("squeeze_11", 11, N("Squeeze", "x", axes=[1, -1]), x)
    own.of("squeeze_all_11", 11, N("Squeeze", "x"), x)
    own.of("unsqueeze_11", 11, N("Unsqueeze", "x", axes=[0, -1]), y)
    own.of("clip_7", 7, N("Clip", "x", min=-0.5, max=0.25), y)
    own.of("clip_one_side_7", 7, N("Clip", "x", max=0.25), y)
    own.of("split_11", 11, N("Split", "x", "y z", axis=-1, split=[1, 3]), y, outputs="y z")
    own.of("split_equal_11", 11, N("Split", "x", "y z w", axis=1), y, outputs="y z w")
    own.of("split_uneven_18", 18, N("Split", "x", "y z", axis=1, num_outputs=2), y, outputs="y z")
    own.of("slice_9", 9, N("Slice", "x", axes=[1, 2], starts=[1, -3], ends=[3, 1000]), y)
    own.of("softmax_11", 11, N("Softmax", "x", axis=1), y)
    own.of("softmax_default_11", 11, N("Softmax", "x"), y)
    own.of("log_softmax_11", 11, N("LogSoftmax", "x", axis=1), y)
    for operator in ["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2"]:
        own.of(f"{operator}_11", 11, N(operator, "x", axes=[0, -1], keepdims=0), y)
        own.of(f"{operator}_middle_11", 11, N(operator, "x", axes=[1]), y)
    own.of("pad_2", 7, N("Pad", "x", pads=[0, 0, 1, 0, 2, 0], value=1.5), y)
    own.of("dropout_7", 7, N("Dropout", "x", ratio=0.5), y)
    own.of("dropout_10", 10, N("Dropout", "x", "y z", ratio=0.5), y, outputs="y z",
           answers=[y["x"], np.ones((2, 3, 4), bool)])  # ONNX Runtime's mask is false
    own.of("gemm_7", 7, N("Gemm", "x w b", alpha=0.5, beta=2.0, transB=1), {"x": random(3, 4)},
           {"w": random(5, 4, seed=1), "b": random(5, seed=2)})
    own.of("top_k_10", 10, N("TopK", "x k", "y z", axis=1), y, {"k": longs(2)}, "y z")
    own.of("batch_norm_9", 9, N("BatchNormalization", "x s b m v", epsilon=1e-3), y,
           {n: np.abs(random(3, seed=i)) for i, n in enumerate("sbmv")})


def add_broadcasts(own):
    shapes = {"rows": ([2, 3, 4], [4]), "columns": ([2, 3, 4], [3, 1]), "outer": ([3, 1], [1, 4]),
              "middle": ([2, 1, 4], [1, 3, 1]), "four": ([2, 3, 1, 5], [3, 4, 1]), "first": ([2, 3, 4], [2, 1, 1]),
              "scalar": ([2, 3], []), "ends": ([2, 3, 4], [2, 1, 4]), "one": ([1], [1, 1, 1]), "wider": ([4], [2, 3, 4])}
    for name, (a, b) in shapes.items():
        for operator in ["Sub", "Div", "Greater"]:
            own.of(f"{operator}_{name}", 14, N(operator, "a b"), {"a": random(*a, seed=1), "b": random(*b, seed=2)})
        own.of(f"Mul_weight_{name}", 14, N("Mul", "x w"), {"x": random(*a, seed=1)}, {"w": random(*b, seed=2)})
        own.of(f"Sub_longs_{name}", 14, N("Sub", "a b"),
               {"a": (random(*a, seed=1) * 9).astype(np.int64), "b": (random(*b, seed=2) * 9).astype(np.int64)})
    own.of("where_computed", 16, [N("Greater", "a b", "m"), N("Where", "m a c")],
           {"a": random(2, 3), "b": random(3, seed=1)}, {"c": np.array(-np.inf, np.float32)})
    own.of("where_fixed", 16, N("Where", "m a b"), {"a": random(2, 3), "b": random(1, 3, seed=1)},
           {"m": np.array([[True], [False]])})
    for a, b in [((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((5, 2, 3), (5, 3, 4)), ((2, 3), (5, 3, 4)), ((3,), (3, 4)),
                 ((2, 3), (3,)), ((4, 1, 2, 3), (5, 3, 2))]:
        name = f"matmul_{'x'.join(map(str, a))}_{'x'.join(map(str, b))}"
        own.of(name, 13, N("MatMul", "a b"), {"a": random(*a, seed=1), "b": random(*b, seed=2)})
        own.of(name + "_weight", 13, N("MatMul", "a b"), {"a": random(*a, seed=1)}, {"b": random(*b, seed=2)})


def subgraph(name, nodes, inputs, outputs, **weights):
    infos = [helper.make_tensor_value_info(n, t, s) for n, t, s in inputs]
    return helper.make_graph(nodes, name, infos, [helper.make_tensor_value_info(n, t, None) for n, t in outputs],
                             [numpy_helper.from_array(v, n) for n, v in weights.items()])


def add_control(own):
    F, L, B = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
    for name, length in [("then", 1), ("else", 3)]:  # what PyTorch writes for squeeze(-1)
        yes = subgraph("yes", [N("Squeeze", "x axis", "p")], [], [("p", F)], axis=longs(-1))
        no = subgraph("no", [N("Identity", "x", "q")], [], [("q", F)])
        nodes = [N("Shape", "x", "s"), N("Gather", "s last", "d"), N("Equal", "d one", "c"),
                 N("If", "c", "y", then_branch=yes, else_branch=no)]
        own.of(f"if_of_a_shape_{name}", 13, nodes, {"x": random(2, 4, length)},
               {"last": np.array(-1, np.int64), "one": np.array(1, np.int64)})
    cell = [N("MatMul", "xt Wi", "i"), N("MatMul", "h0 Wh", "r"), N("Add", "i r", "a"), N("Tanh", "a", "h1")]
    weights = {"Wi": random(3, 4, seed=1), "Wh": random(4, 4, seed=2)}
    x = {"x": random(5, 2, 3), "h": random(2, 4, seed=3)}
    body = subgraph("body", [*cell, N("Identity", "h1", "scan")], [("h0", F, [2, 4]), ("xt", F, [2, 3])],
                    [("h1", F), ("scan", F)])
    for name, directions in [("forward", [0]), ("backward", [1])]:
        own.of(f"scan_over_a_cell_{name}", 16,
               N("Scan", "h x", "y z", body=body, num_scan_inputs=1, scan_input_directions=directions,
                 scan_output_directions=directions), x, weights, "y z")
    loop = subgraph("loop", [N("Gather", "x n", "xt"), *cell, N("Identity", "go", "more"), N("Identity", "h1", "scan")],
                    [("n", L, []), ("go", B, []), ("h0", F, [2, 4])], [("more", B), ("h1", F), ("scan", F)])
    nodes = [N("Shape", "x", "s"), N("Gather", "s zero", "t"), N("Loop", "t yes h", "y z", body=loop)]
    own.of("loop_over_a_cell", 16, nodes, x, weights | {"zero": np.array(0, np.int64), "yes": np.array(True)}, "y z")
    stop = subgraph("stop", [N("Add", "v one", "w"), N("Less", "w five", "more")],
                    [("n", L, []), ("go", B, []), ("v", L, [])], [("more", B), ("w", L)])
    own.of("loop_until", 16, helper.make_node("Loop", ["", "yes", "v"], ["y"], body=stop), {"v": np.array(1, np.int64)},
           {"yes": np.array(True), "one": np.array(1, np.int64), "five": np.array(5, np.int64)})


def add_shapes(own):
    """What exporters compute of shapes."""
    own.of("zeros_like_a_state", 13,
           [N("Shape", "x", "s"), N("Gather", "s one", "b"), N("Unsqueeze", "b zero", "u"), N("Concat", "two u four", "d", axis=0),
            N("ConstantOfShape", "d", "z"), N("Shape", "z", "y")],
           {"x": random(5, 3, 2)},
           {"one": np.array(1, np.int64), "zero": longs(0), "two": longs(2), "four": longs(4)})
    own.of("expand_to_a_computed_shape", 13, [N("Shape", "x", "s"), N("Expand", "w s")], {"x": random(5, 3, 2)},
           {"w": random(3, 1, seed=1)})
    own.of("heads", 13,
           [N("Reshape", "x s", "r"), N("Transpose", "r", "q", perm=[0, 2, 1, 3]), N("Transpose", "r", "k", perm=[0, 2, 3, 1]),
            N("MatMul", "q k", "a"), N("Softmax", "a", "p", axis=-1), N("Transpose", "r", "v", perm=[0, 2, 1, 3]),
            N("MatMul", "p v", "o"), N("Transpose", "o", "t", perm=[0, 2, 1, 3]), N("Reshape", "t f")],
           {"x": random(2, 5, 6)}, {"s": longs(0, 0, 3, 2), "f": longs(0, 0, -1)})
    own.of("sorted_lengths", 13,
           [N("TopK", "n k", "v i", axis=0), N("Gather", "x i", "y", axis=1), N("Shape", "i", "s"),
            N("Squeeze", "s", "c"), N("Range", "zero c one", "r"), N("ScatterElements", "i i r", "back", axis=0),
            N("Gather", "y back", "z", axis=1)],
           {"x": random(4, 3, 2), "n": longs(2, 4, 3)},
           {"k": longs(3), "zero": np.array(0, np.int64), "one": np.array(1, np.int64)}, "y v z")
    own.of("embedding", 13, [N("Gather", "w x")], {"x": np.array([[1, 0, 3], [2, 2, -1]], np.int64)}, {"w": random(4, 3)})
    own.of("mask_of_lengths", 13,
           [N("Less", "t l", "m"), N("Cast", "m", "f", to=1), N("Mul", "x f")],
           {"x": random(2, 4), "l": np.array([[3], [1]], np.int64)}, {"t": longs(0, 1, 2, 3)})
    own.of("pow_half", 13, N("Pow", "x p"), {"x": np.abs(random(2, 3))}, {"p": np.array(0.5, np.float32)})
    for p in [2, 3, -1, -2, 0, 1]:
        own.of(f"pow_{p}", 13, N("Pow", "x p"), {"x": random(2, 3)}, {"p": np.array(p, np.float32)})
    own.of("pow_1.7", 13, N("Pow", "x p"), {"x": np.abs(random(2, 3))}, {"p": np.array(1.7, np.float32)})
    own.of("erf", 13, N("Erf", "x"), {"x": np.linspace(-6, 6, 49, dtype=np.float32)})
    own.of("half_of_a_length", 13, [N("Cast", "n", "f", to=1), N("Div", "f two", "h"), N("Floor", "h", "l"), N("Ceil", "h", "m"),
                                    N("Sub", "m l", "d"), N("Add", "x d")],
           {"x": random(3), "n": longs(5, 4, -3)}, {"two": np.array(2, np.float32)})
    own.of("log_sum_exp", 18, N("ReduceLogSumExp", "x a"), {"x": 30 * random(2, 3, 4)}, {"a": longs(0, 2)})
    own.of("mish", 18, N("Mish", "x"), {"x": 4 * random(2, 3, 4)})
    own.of("prelu", 16, N("PRelu", "x s"), {"x": random(2, 3, 4)}, {"s": random(3, 1, seed=1)})


if __name__ == "__main__":
    cases = Cases(HERE / "operators.zip")
    add_published(cases)
    own = Own(cases)
    for add in [add_convolutions, add_pads, add_opsets, add_broadcasts, add_control, add_shapes]:
        add(own)
    cases.zip.close()
    print(len(cases.names), "cases")
