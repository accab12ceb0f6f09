"""Writes the results of 200 random networks over sequences of different lengths, beside this file.

Run:   python3 make_packed.py          (needs the package torch; CPU is enough)
Made with torch 2.13.0, in float64; the results are rounded to float32.

All inputs come from the generator below, which PackedTest repeats, so that packed.bin holds results alone: of each network
the number of its values as an int, then these as floats, the highest byte first, in the order of `network`.
"""
import struct

import torch
import torch.nn.functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from make import HERE

NETWORKS = 200
KINDS = ["rnn_tanh", "rnn_relu", "lstm", "gru", "projected"]
GATES = {"rnn_tanh": 1, "rnn_relu": 1, "lstm": 4, "gru": 3, "projected": 4}
REDUCTIONS = ["mean", "sum", "none"]


class Draws:
    """SplitMix64, which is java.util.SplittableRandom; values are multiples of 1/256 within a half."""

    def __init__(self, seed):
        self.state = seed

    def number(self, n):
        self.state = (self.state + 0x9E3779B97F4A7C15) % 2**64
        z = (self.state ^ self.state >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
        return ((z ^ z >> 31) >> 33) % n

    def tensor(self, *shape):
        count = torch.Size(shape).numel()
        return torch.tensor([(self.number(257) - 128) / 256 for _ in range(count)]).reshape(shape)


class Direction:
    """The parameters and initial states of one direction of a layer; weights transposed, as Recur has them."""

    def __init__(self, draws, kind, inputs, hidden, out, biases, width):
        rows, scale = GATES[kind] * hidden, 1 if kind == "rnn_relu" else 2
        self.wi, self.wh = scale * draws.tensor(inputs, rows), scale * draws.tensor(out, rows)
        self.b = [draws.tensor(rows) for _ in range(biases)]
        self.wr = [2 * draws.tensor(hidden, out)] if kind == "projected" else []
        self.state = [draws.tensor(width, out)]
        if kind in ("lstm", "projected"):
            self.state.append(draws.tensor(width, hidden))
        for leaf in self.leaves():
            leaf.requires_grad_()

    def leaves(self):
        return [self.wi, self.wh, *self.b, *self.wr, *self.state]

    def weights(self):
        """In PyTorch's order, which has two biases."""
        second = self.b[1] if len(self.b) == 2 else torch.zeros_like(self.b[0])
        return [self.wi.t(), self.wh.t(), self.b[0], second, *(w.t() for w in self.wr)]


# --- losses --------------------------------------------------------------------------------------

def reduced(draws, reduction, losses):
    """Losses of sequences, where they are not reduced, each with a weight."""
    return (losses * draws.tensor(len(losses))).sum() if reduction == "none" else losses


def product(draws, y, lengths):
    return (y * draws.tensor(*y.shape)).sum()  # y is 0 behind the ends


def cross_entropy(draws, y, lengths):
    time, batch, classes = y.shape
    ignored = -100 if draws.number(2) == 0 else draws.number(classes)
    targets = [ignored if draws.number(4) == 0 else draws.number(classes) for _ in range(time * batch)]
    valid = [j // batch < lengths[j % batch] for j in range(time * batch)]
    if all(targets[j] == ignored for j in range(time * batch) if valid[j]):
        targets = [1 if ignored == 0 else 0] * len(targets)
    targets = torch.tensor([t if v else ignored for t, v in zip(targets, valid)])
    smoothing = draws.number(3) / 8
    weights = torch.tensor([(1 + draws.number(16)) / 8 for _ in range(classes)]) if draws.number(2) else None
    reduction = REDUCTIONS[draws.number(3)]
    loss = F.cross_entropy(y.reshape(-1, classes), targets, weights, ignore_index=ignored, reduction=reduction,
                           label_smoothing=smoothing)
    return reduced(draws, reduction, loss.reshape(time, batch).sum(0) if reduction == "none" else loss)


def target(draws, classes, blank, length):
    """Empty, of any length that fits, or one that just fits: equal neighbours need a blank between them."""
    mode, some = draws.number(3), draws.number(length + 1)
    room, spelt = (0, some, length)[mode], []
    while room > 0:
        c = draws.number(classes - 1)
        c += c >= blank
        if room == 1 and spelt and c == spelt[-1]:
            if classes == 2:
                break
            while c in (blank, spelt[-1]):
                c = (c + 1) % classes
        room -= 2 if spelt and c == spelt[-1] else 1
        spelt.append(c)
    return spelt


def ctc(draws, y, lengths):
    classes = y.shape[2]
    blank = draws.number(classes)
    targets = [target(draws, classes, blank, length) for length in lengths]
    reduction = REDUCTIONS[draws.number(3)]
    flat = torch.tensor([c for t in targets for c in t], dtype=torch.long)
    loss = F.ctc_loss(F.log_softmax(y, 2), flat, torch.tensor(lengths), torch.tensor([len(t) for t in targets]),
                      blank=blank, reduction=reduction)
    return reduced(draws, reduction, loss)


# --- networks ------------------------------------------------------------------------------------

def network(seed):
    draws = Draws(seed)
    kind, layers, directions = KINDS[draws.number(5)], 1 + draws.number(3), 1 + draws.number(2)
    inputs, hidden = 1 + draws.number(7), 1 + draws.number(7)
    out = hidden
    if kind == "projected":
        hidden = max(2, hidden)
        out = 1 + draws.number(hidden - 1)
    batch, time = 1 + draws.number(5), 1 + draws.number(8)
    lengths = [time if draws.number(4) == 0 else draws.number(time + 1) for _ in range(batch)]
    if sum(lengths) == 0:
        lengths[0] = time
    biases = 1 + draws.number(2)
    given = draws.number(2) == 1 and (directions == 1 or time > 1)  # for each sequence, but for the backward direction
    loss_of = (product, cross_entropy, ctc)[draws.number(3)] if directions * out > 1 else product

    parts = []
    for i in range(layers * directions):
        width = batch if given and i % directions == 0 else 1
        parts.append(Direction(draws, kind, inputs if i < directions else directions * out, hidden, out, biases, width))
    x = (2 * draws.tensor(time, batch, inputs)).requires_grad_()

    settings = dict(num_layers=layers, bidirectional=directions == 2)
    if kind.startswith("rnn"):
        net = torch.nn.RNN(inputs, hidden, nonlinearity=kind[4:], **settings)
    elif kind == "gru":
        net = torch.nn.GRU(inputs, hidden, **settings)
    else:
        net = torch.nn.LSTM(inputs, hidden, proj_size=out if kind == "projected" else 0, **settings)
    names = [name for of in net._all_weights for name in of]
    weights = dict(zip(names, [w for part in parts for w in part.weights()]))

    # PyTorch packs no sequence of length 0: the others alone, whose outputs and states are put to their places.
    alive = torch.tensor([b for b in range(batch) if lengths[b] > 0])
    starts = [torch.stack([part.state[n].expand(batch, -1) for part in parts]) for n in range(len(parts[0].state))]
    begin = tuple(start[:, alive] for start in starts)
    packed = pack_padded_sequence(x[:, alive], [lengths[b] for b in alive], enforce_sorted=False)
    packed, ends = torch.func.functional_call(net, weights, (packed, begin if len(begin) == 2 else begin[0]))
    outputs, _ = pad_packed_sequence(packed, total_length=time)
    y = torch.zeros(time, batch, directions * out).index_copy(1, alive, outputs)
    ends = ends if len(begin) == 2 else (ends,)
    ends = [start.index_copy(1, alive, end) for start, end in zip(starts, ends)]

    loss = loss_of(draws, y, lengths)
    for i in range(len(parts)):
        for end in ends:
            loss = loss + (end[i] * draws.tensor(*end[i].shape)).sum()
    leaves = [x] + [leaf for part in parts for leaf in part.leaves()]
    last = [end[i] for i in range(len(parts)) for end in ends]
    return [y, loss, *last, *torch.autograd.grad(loss, leaves)]


if __name__ == "__main__":
    with open(HERE / "packed.bin", "wb") as file:
        for seed in range(1, NETWORKS + 1):
            values = torch.cat([t.detach().contiguous().flatten() for t in network(seed)]).tolist()
            file.write(struct.pack(f">i{len(values)}f", len(values), *values))
    print("packed.bin")
