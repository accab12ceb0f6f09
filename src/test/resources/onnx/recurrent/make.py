"""Makes published.zip and drawn.zip: models of one recurrent node each, with inputs and outputs.

    python make.py            # onnx, numpy, onnxruntime

published.zip holds the 18 tests of RNN, LSTM and GRU that ONNX publishes (onnx.backend.test.case.node).
drawn.zip holds 100 nodes with attributes, inputs, outputs and versions drawn at random. Their outputs are
those of the equations below, in double precision. Of them onnx.reference 1.23 computes 18 and ONNX Runtime 1.30 computes 69, and
they agree, but for three nodes: ONNX Runtime takes 0 where ThresholdedRelu is given no alpha, ONNX says 1.

For each test there is NAME.onnx, and NAME.data: a model whose initialisers are in/X, in/W, ... and out/Y, ...
"""

import pathlib
import zipfile

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

HERE = pathlib.Path(__file__).parent


def write(name, tests):
    with zipfile.ZipFile(HERE / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for test, model, inputs, outputs in tests:
            values = [numpy_helper.from_array(v, "in/" + k) for k, v in inputs.items()]
            values += [numpy_helper.from_array(v, "out/" + k) for k, v in outputs.items()]
            graph = helper.make_graph([], "data", [], [], initializer=values)
            data = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)])
            for suffix, proto in ((".onnx", model), (".data", data)):
                entry = zipfile.ZipInfo(test + suffix, (2026, 1, 1, 0, 0, 0))
                archive.writestr(entry, proto.SerializeToString(deterministic=True), zipfile.ZIP_DEFLATED)


# The published tests.


def published():
    from onnx.backend.test.case.node import collect_testcases

    tests = []
    for case in collect_testcases(None):
        nodes = case.model.graph.node
        if len(nodes) != 1 or nodes[0].op_type not in GATES:
            continue
        ((inputs, outputs),) = case.data_sets
        names = [i.name for i in case.model.graph.input]
        results = [o.name for o in case.model.graph.output]
        tests.append((case.name, case.model, dict(zip(names, inputs)), dict(zip(results, outputs))))
    assert len(tests) == 18, [t[0] for t in tests]
    return sorted(tests, key=lambda test: test[0])


# The equations of the operators' pages.


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


FUNCTIONS = {
    "Relu": lambda x, a, b: np.maximum(x, 0),
    "Tanh": lambda x, a, b: np.tanh(x),
    "Sigmoid": lambda x, a, b: sigmoid(x),
    "Affine": lambda x, a, b: a * x + b,
    "LeakyRelu": lambda x, a, b: np.where(x >= 0, x, a * x),
    "ThresholdedRelu": lambda x, a, b: np.where(x > a, x, 0),
    "ScaledTanh": lambda x, a, b: a * np.tanh(b * x),
    "HardSigmoid": lambda x, a, b: np.minimum(np.maximum(a * x + b, 0), 1),
    "Elu": lambda x, a, b: np.where(x >= 0, x, a * (np.exp(np.minimum(x, 0)) - 1)),
    "Softsign": lambda x, a, b: x / (1 + np.abs(x)),
    "Softplus": lambda x, a, b: np.log1p(np.exp(x)),
}
ALPHA = {"Affine": None, "LeakyRelu": 0.01, "ThresholdedRelu": 1.0, "ScaledTanh": None, "HardSigmoid": 0.2, "Elu": 1.0}
BETA = {"Affine": None, "ScaledTanh": None, "HardSigmoid": 0.5}
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
DEFAULTS = {"RNN": ["Tanh"], "GRU": ["Sigmoid", "Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"]}


def functions(op, attributes, directions):
    names = attributes.get("activations", DEFAULTS[op] * directions)
    alphas = list(attributes.get("activation_alpha", []))
    betas = list(attributes.get("activation_beta", []))
    made = []
    for name in names:
        alpha = (alphas.pop(0) if alphas else ALPHA[name]) if name in ALPHA else None
        beta = (betas.pop(0) if betas else BETA[name]) if name in BETA else None
        made.append(lambda x, f=FUNCTIONS[name], a=alpha, b=beta: f(x, a, b))
    each = len(DEFAULTS[op])
    return [made[d * each : (d + 1) * each] for d in range(directions)]


def step(op, attributes, f, clip, w, r, b, p, x, h, c):
    units = h.size
    wb, rb = np.split(b, 2)
    if op == "RNN":
        return f[0](clip(w @ x + r @ h + wb + rb)), c
    if op == "GRU":
        (wz, wr, wh), (rz, rr, rh) = np.split(w, 3), np.split(r, 3)
        (bz, br, bh), (cz, cr, ch) = np.split(wb, 3), np.split(rb, 3)
        z = f[0](clip(wz @ x + rz @ h + bz + cz))
        reset = f[0](clip(wr @ x + rr @ h + br + cr))
        if attributes.get("linear_before_reset", 0):
            n = f[1](clip(wh @ x + reset * (rh @ h + ch) + bh))
        else:
            n = f[1](clip(wh @ x + rh @ (reset * h) + ch + bh))
        return (1 - z) * n + z * h, c
    i, o, g, n = np.split(w @ x + r @ h + wb + rb, 4)
    pi, po, pf = np.split(p, 3)
    i = f[0](clip(i + pi * c))
    g = 1 - i if attributes.get("input_forget", 0) else f[0](clip(g + pf * c))
    c = g * c + i * f[1](clip(n))
    o = f[0](clip(o + po * c))
    return o * f[2](c), c


def computed(op, attributes, given):
    given = {k: v.astype(np.float64) if v.dtype == np.float32 else v for k, v in given.items()}
    x, w, r = given["X"], given["W"], given["R"]
    layout = attributes.get("layout", 0)
    if layout:
        x = x.swapaxes(0, 1)
    time, batch, _ = x.shape
    directions, _, units = r.shape
    b = given.get("B", np.zeros((directions, 2 * GATES[op] * units)))
    p = given.get("P", np.zeros((directions, 3 * units)))
    zeros = np.zeros((directions, batch, units))
    first = [given.get(k) for k in ("initial_h", "initial_c")]
    h, c = [zeros.copy() if v is None else v.swapaxes(0, 1) if layout else v for v in first]
    h, c = h.copy(), c.copy()
    lengths = given.get("sequence_lens", np.full(batch, time))
    bound = attributes.get("clip")
    clip = (lambda v: v) if bound is None else (lambda v: np.clip(v, -bound, bound))
    y = np.zeros((time, directions, batch, units))
    backs = {"forward": [0], "reverse": [1], "bidirectional": [0, 1]}[attributes.get("direction", "forward")]
    for d, f in enumerate(functions(op, attributes, directions)):
        for j in range(batch):
            steps = range(lengths[j])
            for t in reversed(steps) if backs[d] else steps:
                h[d, j], c[d, j] = step(
                    op, attributes, f, clip, w[d], r[d], b[d], p[d], x[t, j], h[d, j].copy(), c[d, j].copy()
                )
                y[t, d, j] = h[d, j]
    if layout:
        y, h, c = y.transpose(2, 0, 1, 3), h.swapaxes(0, 1), c.swapaxes(0, 1)
    return {"Y": y, "Y_h": h, "Y_c": c}


# The drawn tests.


def drawn(number):
    draw = np.random.default_rng(number)

    def some(probability):
        return draw.random() < probability

    op = ("RNN", "GRU", "LSTM")[number % 3]
    opset = (7, 14, 22)[draw.integers(3)]
    time, batch, inputs, units = (int(draw.integers(1, n)) for n in (6, 4, 5, 6))
    attributes = {"hidden_size": units}
    direction = ("forward", "reverse", "bidirectional")[draw.integers(3)]
    directions = 1 + (direction == "bidirectional")
    if direction != "forward" or some(0.5):
        attributes["direction"] = direction
    if opset >= 14 and some(0.4):
        attributes["layout"] = 1
    layout = attributes.get("layout", 0)
    if some(0.5):
        names = [list(FUNCTIONS)[draw.integers(len(FUNCTIONS))] for _ in DEFAULTS[op] * directions]
        attributes["activations"] = names
        alphas = [round(float(draw.uniform(0.2, 0.9)), 3) for n in names if n in ALPHA]
        betas = [round(float(draw.uniform(0.2, 0.9)), 3) for n in names if n in BETA]
        if any(ALPHA.get(n, 0) is None for n in names) or some(0.5):
            attributes.update({"activation_alpha": alphas} if alphas else {})
            attributes.update({"activation_beta": betas} if betas else {})
    if some(0.3):
        attributes["clip"] = round(float(draw.uniform(0.2, 1.0)), 3)
    if op == "LSTM" and some(0.3):
        attributes["input_forget"] = 1
    if op == "GRU" and some(0.5):
        attributes["linear_before_reset"] = 1

    def real(*shape):
        return draw.normal(0, 0.7, shape).astype(np.float32)

    rows = GATES[op] * units
    given = {
        "X": real(batch, time, inputs) if layout else real(time, batch, inputs),
        "W": real(directions, rows, inputs),
        "R": real(directions, rows, units),
    }
    state = (batch, directions, units) if layout else (directions, batch, units)
    if some(0.7):
        given["B"] = real(directions, 2 * rows)
    if some(0.4):
        lengths = draw.integers(1, time + 1, batch).astype(np.int32)
        given["sequence_lens"] = lengths
    if some(0.5):
        given["initial_h"] = real(*state)
    if op == "LSTM" and some(0.5):
        given["initial_c"] = real(*state)
    if op == "LSTM" and some(0.4):
        given["P"] = real(directions, 3 * units)
    names = ["X", "W", "R", "B", "sequence_lens", "initial_h"]
    names += ["initial_c", "P"] if op == "LSTM" else []
    names = [n if n in given else "" for n in names]
    while not names[-1]:
        names.pop()
    results = ["Y", "Y_h"] + (["Y_c"] if op == "LSTM" else [])
    asked = [r for r in results if some(0.7)] or ["Y"]
    results = [r if r in asked else "" for r in results]
    while not results[-1]:
        results.pop()
    node = helper.make_node(op, names, results, name="node", **attributes)
    outputs = {k: v.astype(np.float32) for k, v in computed(op, attributes, given).items() if k in asked}

    def ports(values):
        types = {np.dtype("float32"): onnx.TensorProto.FLOAT, np.dtype("int32"): onnx.TensorProto.INT32}
        return [helper.make_tensor_value_info(k, types[v.dtype], v.shape) for k, v in values.items()]

    graph = helper.make_graph([node], "drawn", ports(given), ports(outputs))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return f"drawn_{number:03}_{op.lower()}", model, given, outputs


def differs(found, wanted):
    return any(not np.allclose(f, w, rtol=1e-3, atol=1e-5) for f, w in zip(found, wanted))


def judged(tests):
    import onnxruntime

    onnxruntime.set_default_logger_severity(4)
    counts = {"onnx.reference": [0, 0], "ONNX Runtime": [0, 0]}
    for name, model, given, outputs in tests:
        node = model.graph.node[0]
        attributes = {a.name for a in node.attribute}
        wanted = list(outputs.values())
        if not attributes & {"activations", "clip", "input_forget"} and "sequence_lens" not in given:
            try:
                found = ReferenceEvaluator(model).run(None, given)
            except Exception as e:  # it does not compute all that the operators' pages say
                print(name, "onnx.reference:", str(e)[:90])
            else:
                counts["onnx.reference"][0] += 1
                if differs(found, wanted):
                    counts["onnx.reference"][1] += 1
                    print(name, "differs from onnx.reference:", helper.printable_node(node))
        try:
            session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
            found = session.run(None, given)
        except Exception as e:
            print(name, "ONNX Runtime:", str(e).strip().splitlines()[0][:110])
            continue
        counts["ONNX Runtime"][0] += 1
        if differs(found, wanted):
            counts["ONNX Runtime"][1] += 1
            print(name, "differs from ONNX Runtime:", helper.printable_node(node))
    for judge, (of, wrong) in counts.items():
        print(f"{judge}: computes {of} of {len(tests)}, differs in {wrong}")


if __name__ == "__main__":
    write("published.zip", published())
    tests = [drawn(number) for number in range(100)]
    judged(tests)
    write("drawn.zip", tests)
