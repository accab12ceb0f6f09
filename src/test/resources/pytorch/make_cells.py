"""Writes the reference numbers of the catalogue of cells, one file per cell in the folder catalogue.

Run:   python3 make_cells.py [FOLDER]        (needs the package torch; CPU is enough)

Each cell below is its paper's equations, row by row of a batch. Before a file is written, its gradients are compared
with finite differences in float64 (torch.autograd.gradcheck). With FOLDER, which holds clones of the repositories
named at the end, outputs are also compared with the authors' code.

The format is that of make.py. All inputs are multiples of 1/256.
"""
import sys

import torch
import torch.nn.functional as F
from torch import exp, relu, sigmoid, tanh

from make import HERE, Out, rand

IN, OUT, BATCH, T = 3, 4, 3, 5
CELLS = {}


def cell(name, states="h", **sizes):
    """Registers step(p, state, x) -> (state, y) under the name of the Java class; sizes are those of its parts.

    states maps each initial state to its size; a word is one state of OUT per letter.
    """
    if isinstance(states, str):
        states = {s: OUT for s in states}

    def register(step):
        CELLS[name] = (sizes, states, step)
        return step

    return register


def gates(s, n):
    return s.chunk(n, -1)


# --- the cells, W x is x @ W.T in rows -----------------------------------------------------------------------------


@cell("MGUCell", Wi=(2 * OUT, IN), Wh=(OUT, OUT), Whc=(OUT, OUT), b=(2 * OUT,))
def mgu(p, s, x):
    f, a = gates(x @ p.Wi.T + p.b, 2)
    f = sigmoid(f + s.h @ p.Wh.T)
    h = (1 - f) * s.h + f * tanh(a + (f * s.h) @ p.Whc.T)
    return [h], h


@cell("UGRNNCell", Wi=(2 * OUT, IN), Wh=(2 * OUT, OUT), b=(2 * OUT,))
def ugrnn(p, s, x):
    g, c = gates(x @ p.Wi.T + s.h @ p.Wh.T + p.b, 2)
    h = sigmoid(g) * s.h + (1 - sigmoid(g)) * tanh(c)
    return [h], h


@cell("PeepholeLSTMCell", "hc", Wi=(4 * OUT, IN), Wh=(4 * OUT, OUT), pi=(OUT,), pf=(OUT,), po=(OUT,), b=(4 * OUT,))
def peephole_lstm(p, s, x):
    i, f, g, o = gates(x @ p.Wi.T + s.h @ p.Wh.T + p.b, 4)
    c = sigmoid(f + p.pf * s.c) * s.c + sigmoid(i + p.pi * s.c) * tanh(g)
    h = sigmoid(o + p.po * c) * tanh(c)
    return [h, c], h


@cell("IndRNNCell", Wi=(OUT, IN), u=(OUT,), b=(OUT,))
def indrnn(p, s, x):
    h = relu(x @ p.Wi.T + p.u * s.h + p.b)
    return [h], h


@cell("MinGRUCell", Wi=(2 * OUT, IN), b=(2 * OUT,))
def min_gru(p, s, x):
    z, g = gates(x @ p.Wi.T + p.b, 2)
    h = (1 - sigmoid(z)) * s.h + sigmoid(z) * g
    return [h], h


# --- running and writing -------------------------------------------------------------------------------------------


class Named:
    def __init__(self, names, values):
        self.__dict__.update(zip(names, values))


def run(name, parts, initial, x):
    """The outputs T x B x out and the last state."""
    sizes, states, step = CELLS[name]
    state = [s.expand(x.shape[1], -1) for s in initial]
    outputs = []
    for t in range(x.shape[0]):
        state, y = step(Named(sizes, parts), Named(states, state), x[t])
        outputs.append(y)
    return torch.stack(outputs), state


def column(t):
    """As Java has it: a matrix is out x in, its first dimension contiguous."""
    return t.T if t.dim() == 2 else t


def write(name, seed):
    torch.manual_seed(seed)
    sizes, states, _ = CELLS[name]
    parts = [rand(*size, scale=0.6).requires_grad_() for size in sizes.values()]
    initial = [rand(size, scale=0.5).requires_grad_() for size in states.values()]
    x = rand(T, BATCH, IN).requires_grad_()
    y, last = run(name, parts, initial, x)
    r, rest = rand(*y.shape), [rand(*s.shape) for s in last]

    def loss(*inputs):
        y, last = run(name, inputs[: len(sizes)], inputs[len(sizes) : -1], inputs[-1])
        return (y * r).sum() + sum((s * w).sum() for s, w in zip(last, rest))

    inputs = [*parts, *initial, x]
    assert torch.autograd.gradcheck(loss, inputs), name
    loss(*inputs).backward()

    out = Out(f"catalogue/{name}.txt", "loss = sum(y*r) + sum over states of sum(s*rT_s); made by make_cells.py",
              *(["outputs agree with " + SOURCES[name][0]] if name in SOURCES else []))
    names = [*sizes, *(s + "0" for s in states), "x"]
    for n, t in zip(names, inputs):
        out.put(n, column(t) if n != "x" else t)
    out.put("r", r)
    for n, w in zip(states, rest):
        out.put(f"rT_{n}", w)
    out.put("y", y)
    for n, s in zip(states, last):
        out.put(f"{n}T", s)
    for n, t in zip(names, inputs):
        out.put("d" + n, column(t.grad) if n != "x" else t.grad)
    out.save()


# --- the authors' code -----------------------------------------------------------------------------------------------
# For a cell: where it is, and a function (folder, parts by name, initial states, x) -> outputs.

SOURCES = {}


def main():
    for seed, name in enumerate(CELLS):
        write(name, 1000 + sum(map(ord, name)))


if __name__ == "__main__":
    main()
