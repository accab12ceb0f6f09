"""PyTorch as a contender: `make peers` starts this and asks it line by line (see Contender.java).

Needs a Python with torch and nothing else. 2 threads; all else at PyTorch's defaults. An argument
names another device than the processor (`make bench-gpu`): there the work says in which precision. A
second one names the way in which cells that PyTorch lacks are computed (see cells.py).
"""
import array
import pathlib
import statistics
import sys
import time
import traceback

CHUNKS, CHECKED = 4, 8
GROUPS = 9  # of a turn; the median counts (see Contender.java)
COMPARED, COMPARED_WHOLE = 1 << 20, 1 << 23  # as Work.java: a longer answer is thinned out
DEVICE = sys.argv[1] if len(sys.argv) > 1 else "cpu"
WAY = sys.argv[2] if len(sys.argv) > 2 else "eager"
HALVES = {"bf16": "bfloat16", "fp16": "float16"}


class Work:
    """The facts and arrays of a folder; arrays as Recur lays them out (see Work.java)."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        lines = (self.folder / "work.properties").read_text(encoding="utf-8").splitlines()
        facts = dict(line.split("=", 1) for line in lines if "=" in line)
        self.kind, self.cell = facts["kind"], facts["cell"].removesuffix(" from its equations")
        for name in "layers", "batch", "time", "in", "hidden", "repeats":
            setattr(self, name if name != "in" else "inputs", int(facts[name]))
        self.type = getattr(torch, HALVES.get(facts["precision"], "float32"))
        if DEVICE != "cpu":
            torch.backends.cuda.matmul.allow_tf32 = facts["precision"] == "tf32"
            torch.backends.cudnn.allow_tf32 = facts["precision"] == "tf32"

    def array(self, name):
        return torch.frombuffer(bytearray((self.folder / f"{name}.f32").read_bytes()), dtype=torch.float32)

    def matrix(self, name, rows):
        """A matrix of so many rows: its file goes down the columns."""
        return self.array(name).view(-1, rows).t()


def save(folder, name, t, work):
    values = t.detach().contiguous().flatten()
    stride = -(-len(values) // (COMPARED_WHOLE if work.repeats == 1 else COMPARED))
    values = array.array("f", values[::stride].float().tolist())
    (folder / f"{name}.f32").write_bytes(values.tobytes())


def layers(work):
    """What the names of the arrays of each entry of all_weights end in."""
    directions = ("", "r") if work.kind == "directions" else ("",)
    return [f"{l}{direction}" for l in range(work.layers) for direction in directions]


def fill(net, work):
    """Recur's one bias is the sum of PyTorch's two; a GRU's bh is inside of r*(...)."""
    with torch.no_grad():
        for l, (wi, wh, bi, bh) in zip(layers(work), net.all_weights):
            wi.copy_(work.matrix(f"Wi{l}", wi.shape[0]))
            wh.copy_(work.matrix(f"Wh{l}", wh.shape[0]))
            bi.copy_(work.array(f"b{l}"))
            bh.zero_()
            if work.cell == "GRU":
                bh[2 * work.hidden:] = work.array(f"bh{l}")


def gradients(net, work):
    for l, (wi, wh, bi, bh) in zip(layers(work), net.all_weights):
        yield f"dWi{l}", wi.grad.t()
        yield f"dWh{l}", wh.grad.t()
        yield f"db{l}", bi.grad
        if work.cell == "GRU":
            yield f"dbh{l}", bh.grad[2 * work.hidden:]


class Sequence:
    def __init__(self, work):
        self.work = work
        self.state = None
        self.host = work.array("x").view(work.time, work.batch, work.inputs).to(work.type)
        self.x = self.host.to(DEVICE)
        self.build()
        self.all = self.x.repeat(work.repeats, 1, 1) if work.repeats > 1 else self.x  # what is timed

    def build(self):
        work = self.work
        self.net = getattr(torch.nn, work.cell)(
            work.inputs, work.hidden, work.layers, bidirectional=work.kind == "directions")
        fill(self.net, self.work)
        self.net.to(DEVICE, self.work.type)

    def forget(self):
        self.net.zero_grad()

    def gradients(self):
        return gradients(self.net, self.work)

    def run(self, x):
        return self.net(x)[0]

    def train(self, x):
        self.forget()
        y = self.run(x)
        loss = y.sum()
        loss.backward()
        loss.item()
        return y

    def forward(self, x):
        with torch.inference_mode():
            return self.run(x)

    def step(self, x):
        """From the host and back to it, as a stream comes."""
        with torch.inference_mode():
            y, self.state = self.net(x.to(DEVICE), self.state)
            return y.cpu()

    def once(self, name):
        if name == "train":
            self.train(self.all)
        elif name == "step":
            self.step(self.host[:1])
        else:
            self.forward(self.all)

    def answer(self, name):
        if name == "train":
            yield "y", self.train(self.x)
            yield from self.gradients()
        elif name == "step":
            self.state = None
            yield "y", torch.cat([self.step(self.host[t: t + 1]) for t in range(self.work.time)])
        else:
            yield "y", self.forward(self.x)
            if self.work.repeats > 1:
                yield "last", self.forward(self.all)[-1]


class Lengths(Sequence):
    """Sequences of different lengths, packed; or computed to the end of the longest one."""

    def build(self):
        super().build()
        self.lengths = self.work.array("lengths").long()
        self.behind = (torch.arange(self.work.time)[:, None] >= self.lengths)[:, :, None]

    def run(self, x):
        if WAY == "padded":
            return super().run(x).masked_fill(self.behind, 0)
        packed = torch.nn.utils.rnn.pack_padded_sequence(x, self.lengths, enforce_sorted=False)
        return torch.nn.utils.rnn.pad_packed_sequence(self.net(packed)[0], total_length=len(x))[0]


class Characters:
    """As character_model.py trains it."""

    def __init__(self, work):
        self.work = work
        self.net = torch.nn.LSTM(work.inputs, work.hidden)
        fill(self.net, work)
        self.head = torch.nn.Linear(work.hidden, work.inputs)
        with torch.no_grad():
            self.head.weight.copy_(work.matrix("Whead", work.inputs))
            self.head.bias.copy_(work.array("bhead"))
        self.net.to(DEVICE)
        self.head.to(DEVICE)
        text = work.array("text").long().view(work.batch, -1)
        self.streams = text.t().contiguous().to(DEVICE)  # time x streams
        # Frozen: the second bias of PyTorch's, so that Adam moves the sum as it moves our one.
        self.net.bias_hh_l0.requires_grad_(False)
        self.parameters = [p for m in (self.net, self.head) for p in m.parameters()]
        self.adam = torch.optim.Adam([p for p in self.parameters if p.requires_grad], lr=0.002)
        self.state, self.chunk = None, 0

    def learn(self, before_clipping=lambda: None):
        if self.chunk == CHUNKS:
            self.state, self.chunk = None, 0
        at = self.chunk * self.work.time
        chars, target = (self.streams[at + k: at + k + self.work.time] for k in (0, 1))
        self.chunk += 1
        self.adam.zero_grad()
        x = torch.nn.functional.one_hot(chars, self.work.inputs).float()
        y, state = self.net(x, self.state)
        loss = torch.nn.functional.cross_entropy(self.head(y).flatten(0, 1), target.flatten())
        loss.backward()
        before_clipping()
        torch.nn.utils.clip_grad_norm_(self.parameters, 5.0)
        self.adam.step()
        self.state = tuple(s.detach() for s in state)
        return loss.item()

    def once(self, name):
        self.learn()

    def answer(self, name):
        first = {}

        def keep():
            first.update({k: v.clone() for k, v in gradients(self.net, self.work)})
            first["dWhead"] = self.head.weight.grad.t().clone()
            first["dbhead"] = self.head.bias.grad.clone()

        losses = [self.learn(keep)] + [self.learn() for _ in range(CHECKED - 1)]
        yield from first.items()
        yield "losses", torch.tensor(losses)


def milliseconds(once, name, begin, end):
    """Of one iteration, over those from begin to end."""
    began = time.perf_counter()
    for _ in range(begin, end):
        once(name)
    if DEVICE != "cpu":
        torch.cuda.synchronize()
    return (time.perf_counter() - began) * 1e3 / (end - begin)


def model(work):
    if work.kind == "characters":
        return Characters(work)
    if work.cell in ("LSTM", "GRU", "RNN"):
        return (Lengths if work.kind == "lengths" else Sequence)(work)
    import cells
    return cells.sequence(Sequence)(work, WAY)


def respond(words, kept):
    if words[0] == "version":
        return torch.__version__ if DEVICE == "cpu" else (
            f"{torch.__version__}, CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}")
    if words[0] == "prepare":
        kept.clear()
        if DEVICE != "cpu":
            torch.cuda.empty_cache()
        work = Work(words[1])
        kept.append(model(work))
        return "ready"
    if words[0] == "check":
        folder = pathlib.Path(words[2])
        folder.mkdir(parents=True, exist_ok=True)
        for name, t in kept[0].answer(words[1]):
            save(folder, name, t, kept[0].work)
        return "done"
    if words[0] == "run":
        once, name, times = kept[0].once, words[1], int(words[2])
        groups = min(times, GROUPS)
        bounds = [times * g // groups for g in range(groups + 1)]
        turn = [milliseconds(once, name, *part) for part in zip(bounds, bounds[1:])]
        return f"{statistics.median(turn):.6f}"
    raise ValueError(f"unknown command {words[0]}")


def main():
    torch.set_num_threads(2)
    kept = []
    for line in sys.stdin:
        try:
            answer = "= " + respond(line.rstrip("\n").split(" ", 2), kept)
        except Exception as e:
            traceback.print_exc()
            answer = "! " + (str(e).splitlines() or [repr(e)])[0]
        print(answer, flush=True)


try:
    import torch
except ImportError as e:
    print(f"! this Python has no torch ({e})", flush=True)
else:
    main()
