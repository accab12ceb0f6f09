"""Makes the files of PyTorch that StateDictTest and TorchFileTest read, and their answers.

    python make.py            # torch 2.13, safetensors 0.8
    python make.py check DIR  # loads what was exported to DIR, strictly, and compares answers

`make.py check` reads files that are named for their model, both-1.pt or zoo-biases.safetensors; those with "biases" in their
name were exported with both biases kept, and every tensor must be bit-exact. `recur convert` writes them, for example
`recur convert both.pt DIR/both-1.pt --to state-dict --as "embedding encoder.embedding, lstm encoder.lstm, linear head"`.

Answers are in the format of ../pytorch/make.py: name, dims with the first dimension contiguous, values.
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

HERE = Path(__file__).parent


class Encoder(nn.Module):
    def __init__(self, both=False):
        super().__init__()
        self.embedding = nn.Embedding(7, 3)
        self.lstm = nn.LSTM(3, 4, num_layers=2, bidirectional=both)


class Text(nn.Module):
    """The model of the guide: an embedding, two layers of LSTM, a linear head."""

    def __init__(self, both=False):
        super().__init__()
        self.encoder = Encoder(both)
        self.head = nn.Linear(8 if both else 4, 5)

    def forward(self, indexes):
        return self.head(self.encoder.lstm(self.encoder.embedding(indexes))[0])


class Zoo(nn.Module):
    """One module of each kind."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 4, num_layers=2)
        self.gru = nn.GRU(3, 4, num_layers=2)
        self.rnn = nn.RNN(3, 4, num_layers=2)
        self.relu = nn.RNN(3, 4, nonlinearity="relu")
        self.bare_lstm = nn.LSTM(3, 4, bias=False)
        self.bare_gru = nn.GRU(3, 4, bias=False)
        self.bare_rnn = nn.RNN(3, 4, bias=False)
        self.projected = nn.LSTM(3, 4, num_layers=2, proj_size=2)
        self.lstm_cell = nn.LSTMCell(3, 4)
        self.gru_cell = nn.GRUCell(3, 4)
        self.rnn_cell = nn.RNNCell(3, 4)
        self.linear = nn.Linear(3, 2)
        self.bare_linear = nn.Linear(3, 2, bias=False)
        self.layer_norm = nn.LayerNorm(3)
        self.conv = nn.Conv1d(3, 4, 3, padding=1)
        self.grouped = nn.Conv1d(3, 6, 2, groups=3, stride=2, bias=False)
        self.batch_norm = nn.BatchNorm1d(3)

    def answers(self, x):
        """x is [time, batch, features]."""
        found = {}
        for name in ["lstm", "gru", "rnn", "relu", "bare_lstm", "bare_gru", "bare_rnn", "projected"]:
            found[name] = getattr(self, name)(x)[0]
        for name in ["lstm_cell", "gru_cell", "rnn_cell"]:
            state, outputs = None, []
            for step in x:
                state = getattr(self, name)(step, state)
                outputs.append(state[0] if isinstance(state, tuple) else state)
            found[name] = torch.stack(outputs)
        for name in ["linear", "bare_linear", "layer_norm"]:
            found[name] = getattr(self, name)(x)
        for name in ["conv", "grouped", "batch_norm"]:
            found[name] = getattr(self, name)(x.permute(1, 2, 0)).permute(2, 0, 1)
        return found


def line(name, tensor):
    dims = "x".join(str(d) for d in reversed(tensor.shape))
    return f"{name} {dims} " + " ".join(repr(v) for v in tensor.contiguous().flatten().tolist())


def stir(model):
    """Moves what begins with zeros or ones."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 1:
                parameter.add_(0.3 * torch.randn_like(parameter))
    return model


def models():
    torch.manual_seed(14)
    zoo, text, both = stir(Zoo()), stir(Text()), stir(Text(both=True))
    zoo.train()
    for _ in range(3):
        zoo.batch_norm(2 * torch.randn(4, 3, 5) + 1)
    return zoo.eval(), text.eval(), both.eval()


def inputs():
    generator = torch.Generator().manual_seed(41)
    return (
        {"short": torch.randn(5, 2, 3, generator=generator), "long": torch.randn(9, 3, 3, generator=generator)},
        {"short": torch.randint(7, (5, 2), generator=generator), "long": torch.randint(7, (9, 3), generator=generator)},
    )


def make():
    zoo, text, both = models()
    torch.save(zoo.state_dict(), HERE / "zoo.pt")
    save_file(zoo.state_dict(), HERE / "zoo.safetensors")
    torch.save(text.state_dict(), HERE / "text.pt")
    torch.save(both.state_dict(), HERE / "both.pt")
    save_file(both.state_dict(), HERE / "both.safetensors")
    lines = ["# made by make.py, torch " + torch.__version__]
    values, texts = inputs()
    with torch.no_grad():
        for size, x in values.items():
            lines.append(line(f"{size}.x", x))
            lines += [line(f"{size}.{name}", y) for name, y in zoo.answers(x).items()]
        for size, indexes in texts.items():
            lines.append(line(f"{size}.indexes", indexes.float()))
            lines.append(line(f"{size}.text", text(indexes)))
            lines.append(line(f"{size}.both", both(indexes)))
    (HERE / "answers.txt").write_text("\n".join(lines) + "\n")

    torch.manual_seed(15)
    types = {"f16": torch.float16, "bf16": torch.bfloat16, "f64": torch.float64, "i64": torch.int64}
    typed = {f"{n}.weight": (8 * torch.randn(2, 3)).to(t) for n, t in types.items()}
    torch.save(typed, HERE / "types.pt")
    save_file(typed, HERE / "types.safetensors")
    optimiser = torch.optim.Adam(text.parameters())
    text(texts["short"]).sum().backward()
    optimiser.step()
    head = nn.Linear(2, 2)
    adam = torch.optim.Adam(head.parameters())
    head(torch.ones(1, 2)).sum().backward()
    adam.step()
    torch.save(
        {"epoch": 3, "model": head.state_dict(), "optimizer": adam.state_dict(), "notes": ["a", None, 0.5, True]},
        HERE / "checkpoint.pt",
    )
    torch.save(nn.Linear(2, 2), HERE / "module.pt")
    torch.save({"head.weight": torch.randn(3, 2).t()}, HERE / "strided.pt")
    torch.save(head.state_dict(), HERE / "legacy.pt", _use_new_zipfile_serialization=False)
    torch.jit.save(torch.jit.script(head), str(HERE / "script.pt"))


def check(folder):
    zoo, text, both = models()
    values, texts = inputs()
    for file in sorted(Path(folder).iterdir()):
        state = torch.load(file, weights_only=True) if file.suffix in [".pt", ".pth"] else load_file(file)
        model = {"zoo": Zoo(), "text": Text(), "both": Text(both=True)}[file.name.split(".")[0].split("-")[0]]
        model.load_state_dict(state, strict=True)
        model.eval()
        old = {"Zoo": zoo, "Text": both if file.name.startswith("both") else text}[type(model).__name__]
        worst = 0
        with torch.no_grad():
            for size in ["short", "long"]:
                if model.__class__ is Zoo:
                    expected, found = old.answers(values[size]), model.answers(values[size])
                else:
                    expected, found = {"y": old(texts[size])}, {"y": model(texts[size])}
                worst = max(worst, max(float((expected[n] - found[n]).abs().max()) for n in expected))
        kept = "biases" in file.name
        exact = all(
            torch.equal(value, state[name]) for name, value in old.state_dict().items() if name in state and (kept or "bias" not in name)
        )
        print(file.name, "loaded strictly; largest difference", worst, "; bit-exact" + ("" if kept else " but for biases"), exact)
        assert worst <= 1e-5 and exact


if __name__ == "__main__":
    check(sys.argv[2]) if len(sys.argv) > 2 else make()
