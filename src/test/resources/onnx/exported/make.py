"""Makes exported.zip: models that PyTorch's exporters write, with inputs and PyTorch's own outputs.

    python make.py            # torch 2.13, onnx, numpy; onnxscript for the newer exporter

For each model there is NAME.onnx, and NAME.data as ../recurrent/make.py writes it. The inputs have another
batch and another length than those of the export.
"""

import io
import pathlib
import sys
import warnings

import numpy as np
import onnx
import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "recurrent"))
import make as archive

warnings.filterwarnings("ignore")
torch.manual_seed(14)


class Tagger(nn.Module):
    """Two layers of two directions, and a head."""

    def __init__(self, batch_first=False):
        super().__init__()
        self.lstm = nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=batch_first)
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        return self.head(self.lstm(x)[0])


class Words(nn.Module):
    """An embedding, a GRU, and the last step's classes."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(7, 3)
        self.gru = nn.GRU(3, 4, batch_first=True)
        self.norm = nn.LayerNorm(4)
        self.head = nn.Linear(4, 5)

    def forward(self, words):
        y, _ = self.gru(self.embedding(words))
        return torch.log_softmax(self.head(self.norm(y[:, -1])), dim=-1)


class Packed(nn.Module):
    """Sequences of different lengths."""

    def __init__(self, kind):
        super().__init__()
        self.rnn = kind(3, 4, bidirectional=True)

    def forward(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)
        y, _ = self.rnn(packed)
        return nn.utils.rnn.pad_packed_sequence(y)[0]


class Stream(nn.Module):
    """A convolution, and an LSTM whose state goes in and out."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(3, 4, 3, padding=1)
        self.lstm = nn.LSTM(4, 4)
        self.head = nn.Linear(4, 1)

    def forward(self, x, h0, c0):
        z = torch.relu(self.conv(x.permute(1, 2, 0))).permute(2, 0, 1)
        y, (hn, cn) = self.lstm(z, (h0, c0))
        return torch.sigmoid(self.head(y)), hn, cn


def steps(time, batch, size=3):
    return torch.randn(time, batch, size)


def exported(name, model, small, large, inputs, outputs, axes, newer=False):
    model.eval()
    buffer = io.BytesIO()
    if newer:
        path = pathlib.Path("/tmp") / (name + ".onnx")
        shapes = tuple(
            {i: torch.export.Dim.DYNAMIC for i in axes.get(n, {})} or None for n in inputs
        )
        program = torch.onnx.export(
            model, small, input_names=inputs, output_names=outputs, dynamic_shapes=shapes, dynamo=True, verbose=False
        )
        proto = program.model_proto
    else:
        torch.onnx.export(
            model, small, buffer, input_names=inputs, output_names=outputs, dynamic_axes=axes, opset_version=17, dynamo=False
        )
        proto = onnx.load_from_string(buffer.getvalue())
    onnx.checker.check_model(proto)
    with torch.no_grad():
        results = model(*large)
    results = results if isinstance(results, tuple) else (results,)
    given = {n: v.numpy() for n, v in zip(inputs, large)}
    print(name, sorted({node.op_type for node in proto.graph.node}))
    return name, proto, given, {n: v.numpy() for n, v in zip(outputs, results)}


def models():
    time_batch = {0: "time", 1: "batch"}
    sequence = {"x": time_batch, "y": time_batch}
    state = {1: "batch"}
    states = {n: state for n in ("h0", "c0", "hn", "cn")}
    yield exported("tagger", Tagger(), (steps(4, 2),), (steps(6, 3),), ["x"], ["y"], sequence)
    first = {0: "batch", 1: "time"}
    yield exported(
        "tagger_batch_first",
        Tagger(True),
        (steps(2, 4),),
        (steps(3, 6),),
        ["x"],
        ["y"],
        {"x": first, "y": first},
    )
    words = lambda batch, time: torch.randint(0, 7, (batch, time))
    yield exported("words", Words(), (words(2, 4),), (words(3, 6),), ["x"], ["y"], {"x": first, "y": {0: "batch"}})
    lengths = {"lengths": {0: "batch"}} | sequence
    for kind in (nn.LSTM, nn.GRU, nn.RNN):
        yield exported(
            "packed_" + kind.__name__.lower(),
            Packed(kind),
            (steps(4, 3), torch.tensor([4, 2, 3])),
            (steps(6, 4), torch.tensor([3, 6, 1, 5])),
            ["x", "lengths"],
            ["y"],
            lengths,
        )
    stream = (steps(4, 2), torch.randn(1, 2, 4), torch.randn(1, 2, 4))
    other = (steps(7, 3), torch.randn(1, 3, 4), torch.randn(1, 3, 4))
    names = (["x", "h0", "c0"], ["y", "hn", "cn"])
    yield exported("stream", Stream(), stream, other, *names, sequence | states)
    try:
        import onnxscript  # noqa: F401
    except ImportError:
        print("no onnxscript: the newer exporter's models are missing")
        return
    # the newer exporter takes the length of a sequence for constant
    batch = {1: "batch"}
    other = (steps(4, 3), *other[1:])
    yield exported("new_stream", Stream(), stream, other, *names, {"x": batch, "y": batch} | states, newer=True)
    some = {"x": batch, "y": batch}
    yield exported("new_tagger", Tagger(), (steps(4, 2),), (steps(4, 3),), ["x"], ["y"], some, newer=True)
    some = {"x": {0: "batch"}, "y": {0: "batch"}}
    yield exported("new_words", Words(), (words(2, 4),), (words(3, 4),), ["x"], ["y"], some, newer=True)


if __name__ == "__main__":
    archive.HERE = pathlib.Path(__file__).parent
    archive.write("exported.zip", list(models()))
