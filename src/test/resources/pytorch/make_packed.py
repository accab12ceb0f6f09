"""Writes the reference numbers of packed sequences: 200 random networks of one direction and 200 of two, one line each,
beside this file.

Run:   python3 make_packed.py          (needs the package torch; CPU is enough)
Made with torch 2.13.0, in float64; make.py describes the format.

A line holds the settings and the results; all inputs come from the generator below, which PackedTest repeats.
"""
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from make import Out

KINDS = {"rnn": (torch.nn.RNN, 1), "lstm": (torch.nn.LSTM, 4), "gru": (torch.nn.GRU, 3)}


class Draws:
    """Multiples of 1/256 within a half, from a linear congruential generator."""

    def __init__(self, seed):
        self.state = seed

    def number(self, n):
        self.state = (self.state * 1103515245 + 12345) % 2**31
        return (self.state >> 8) % n

    def tensor(self, *shape):
        count = torch.Size(shape).numel()
        return torch.tensor([(self.number(257) - 128) / 256 for _ in range(count)], dtype=torch.float64).reshape(shape)


def packed(out, seed, directions):
    draws = Draws(seed)
    kind = list(KINDS)[draws.number(3)]
    layers, inputs, hidden = 1 + draws.number(3), 1 + draws.number(5), 1 + draws.number(6)
    batch, time = 1 + draws.number(7), 1 + draws.number(9)
    lengths = [1 + draws.number(time) for _ in range(batch)]
    lengths[draws.number(batch)] = time
    of, gates = KINDS[kind]
    net = of(inputs, hidden, layers, bidirectional=directions == 2)
    with torch.no_grad():
        for wi, wh, bi, bh in net.all_weights:
            for w in wi, wh:
                w.copy_(2 * draws.tensor(w.shape[1], w.shape[0]).t())
            bi.copy_(draws.tensor(gates * hidden))
            bh.zero_()
            if kind == "gru":
                bh[2 * hidden:] = draws.tensor(hidden)
    x = (2 * draws.tensor(time, batch, inputs)).requires_grad_()
    width = batch if directions == 1 else 1  # our two directions begin from an initial state of one column
    count = directions * layers
    states = [draws.tensor(count, width, hidden).requires_grad_() for _ in range(2 if kind == "lstm" else 1)]
    r = draws.tensor(time, batch, directions * hidden)
    last = [draws.tensor(count, batch, hidden) for _ in states]
    wide = tuple(s.expand(-1, batch, -1).contiguous() for s in states)
    y, end = net(pack_padded_sequence(x, lengths, enforce_sorted=False), wide if kind == "lstm" else wide[0])
    y, _ = pad_packed_sequence(y)
    loss = (y * r).sum() + sum((e * w).sum() for e, w in zip(end if kind == "lstm" else (end,), last))
    loss.backward()
    gradients = [x.grad] + [s.grad for s in states]
    for wi, wh, bi, bh in net.all_weights:
        gradients += [wi.grad.t(), wh.grad.t(), bi.grad] + ([bh.grad[2 * hidden:]] if kind == "gru" else [])
    results = [loss] + [(g * draws.tensor(*g.shape)).sum() for g in gradients]
    out.put(f"{kind}{seed}", torch.stack(results))


if __name__ == "__main__":
    for name, directions, first in ("packed.txt", 1, 1), ("packed_directions.txt", 2, 201):
        out = Out(name, "KINDseed: the loss, then a random projection of each gradient: x, states, and per layer",
                  "Wi, Wh, b and, of a GRU, bh; loss = sum(y*r) over valid steps + sum of the last states with weights")
        for seed in range(first, first + 200):
            packed(out, seed, directions)
        out.save()
