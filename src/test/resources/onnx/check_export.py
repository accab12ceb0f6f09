"""Has ONNX's checker and ONNX Runtime judge what Recur exports, and pins the files that they have passed.

Run:   python3 check_export.py [PART OF A NAME]      (needs the packages onnx, onnxruntime, safetensors and numpy, a JDK
                                                      as JAVA_HOME, and the classes: mvn test-compile)

One command exports every model of ExportSamples to a temporary folder, with what Recur answers to four calls: other
batches and lengths each, the second and the fourth continuing the streams of the call before. Of each file,

- onnx.checker.check_model passes with full_check, and shape inference in strict mode;
- ONNX Runtime answers as Recur does within 1e-5 of max(1, |y|), as the graph stands and optimised, with the states of
  its own calls fed back, states that are left out, and NaN behind the ends of sequences.

Then exports.txt gets a line for each file: name, CRC-32, bytes. OnnxExportTest holds that today's files are these. With a
part of a name nothing is pinned.
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import zlib

import numpy as np
import onnx
import onnxruntime as ort
from onnx import shape_inference
from safetensors import safe_open

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[3]
TOLERANCE = 1e-5


def export(folder):
    java = pathlib.Path(os.environ.get("JAVA_HOME", "/usr"), "bin", "java")
    path = subprocess.run(
        ["sh", "-c", "find ~/.m2/repository/org/bytedeco/openblas -name '*linux*.jar' | tr '\\n' ':'"],
        capture_output=True, text=True).stdout
    classes = f"{ROOT}/target/classes:{ROOT}/target/test-classes:{path}"
    classes += os.environ.get("CLASSES", "")
    subprocess.run(
        [str(java), "--enable-native-access=ALL-UNNAMED", "-cp", classes, "io.recur.io.onnx.ExportSamples", folder],
        check=True)


def calls(file):
    with safe_open(file, "np") as tensors:
        metadata = tensors.metadata()
        found = {}
        for key in tensors.keys():
            call, way, name = key.split("/")
            found.setdefault(call, {"in": {}, "out": {}})[way][name] = tensors.get_tensor(key)
    for call in ["first", "second", "one", "spread"]:
        yield call, call in metadata["continues"].split(), found[call]["in"], found[call]["out"]


def behind_the_ends(feeds, index):
    """Puts what no model may read behind the end of each sequence."""
    if "lengths" in feeds:
        x = feeds["x"]
        for sequence, length in enumerate(feeds["lengths"]):
            x[int(length):, sequence] = -5 if index else np.nan


def check(model):
    proto = onnx.load(model)
    onnx.checker.check_model(proto, full_check=True)
    shape_inference.infer_shapes(proto, check_type=True, strict_mode=True, data_prop=True)
    integers = {i.name for i in proto.graph.input if i.type.tensor_type.elem_type == onnx.TensorProto.INT64}
    states = [o.name for o in proto.graph.output if o.name.endswith(".next")]
    worst = 0.0
    for level in [ort.GraphOptimizationLevel.ORT_DISABLE_ALL, ort.GraphOptimizationLevel.ORT_ENABLE_ALL]:
        options = ort.SessionOptions()
        options.graph_optimization_level = level
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        names = [o.name for o in session.get_outputs()]
        before = {}
        for call, continues, feeds, expected in calls(model.with_suffix(".safetensors")):
            feeds = {n: v.astype(np.int64 if n in integers else np.float32) for n, v in feeds.items()}
            behind_the_ends(feeds, "x" in integers)
            if continues:
                feeds |= {s.removesuffix(".next"): before[s] for s in states}
            before = dict(zip(names, session.run(names, feeds)))
            if set(names) != set(expected):
                raise AssertionError(f"{model.name}: outputs {sorted(names)}, Recur has {sorted(expected)}")
            for name, y in before.items():
                wanted = expected[name]
                if y.shape != wanted.shape:
                    raise AssertionError(f"{model.name}, {call}, {name}: shape {y.shape}, Recur has {wanted.shape}")
                off = np.max(np.abs(y - wanted) / np.maximum(1, np.abs(wanted)))
                if not off <= TOLERANCE:
                    raise AssertionError(f"{model.name}, {call}, {name}: off by {off}\n{y}\n{wanted}")
                worst = max(worst, float(off))
    return worst


def main():
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    failed = []
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        export(folder)
        models = sorted(pathlib.Path(folder).glob("*.onnx"))
        worst = 0.0
        for model in models:
            if part in model.name:
                try:
                    worst = max(worst, check(model))
                    data = model.read_bytes()
                    lines.append(f"{model.stem} {zlib.crc32(data):08x} {len(data)}\n")
                except Exception as e:  # the next models are judged too
                    failed.append(f"{model.name}: {type(e).__name__}: {e}")
    print(f"onnx {onnx.__version__}, onnxruntime {ort.__version__}: {len(lines)} models, off by at most {worst:.1e}")
    if failed:
        sys.exit("\n".join(failed))
    if not part:
        (HERE / "exports.txt").write_text("".join(lines))


if __name__ == "__main__":
    main()
