"""Writes the reference numbers of the catalogue of cells, one file per cell in the folder catalogue.

Run:   python3 make_cells.py [FOLDER]        (needs the package torch; CPU is enough)

Each cell below is its paper's equations, row by row of a batch. Before a file is written, its gradients are compared
with finite differences in float64 (torch.autograd.gradcheck). With FOLDER, which holds clones of the repositories
named at the end, as OWNER/NAME, outputs are also compared with the authors' code.

The format is that of make.py. All inputs are multiples of 1/256.
"""
import ast
import math
import pathlib
import sys
import warnings
from typing import List, Optional

import torch
import torch.nn.functional as F
from torch import exp, relu, sigmoid, tanh

from make import Out, rand

IN, OUT, BATCH, T = 3, 4, 3, 5
CELLS = {}


def cell(name, states="h", **sizes):
    """Registers step(p, state, x) -> (state, y) under the name of the Java class; sizes are those of its parts.

    states maps each initial state to its size, or to the number that it is fixed at, or to a size with such a number; a
    word is one state of OUT per letter.
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


@cell("STARCell", Wi=(2 * OUT, IN), Wh=(OUT, OUT), b=(2 * OUT,))
def star(p, s, x):
    k, z = gates(x @ p.Wi.T + p.b, 2)
    k = sigmoid(k + s.h @ p.Wh.T)
    h = tanh((1 - k) * s.h + k * tanh(z))
    return [h], h


@cell("MinimalRNNCell", Wi=(OUT, IN), Wh=(OUT, OUT), Wz=(OUT, OUT), bz=(OUT,), bu=(OUT,))
def minimal_rnn(p, s, x):
    z = tanh(x @ p.Wi.T + p.bz)
    u = sigmoid(s.h @ p.Wh.T + z @ p.Wz.T + p.bu)
    h = u * s.h + (1 - u) * z
    return [h], h


@cell("ATRCell", Wi=(OUT, IN), Wh=(OUT, OUT))
def atr(p, s, x):
    a, q = x @ p.Wi.T, s.h @ p.Wh.T
    h = sigmoid(a + q) * a + sigmoid(a - q) * s.h
    return [h], h


@cell("CFNCell", Wi=(3 * OUT, IN), Wh=(2 * OUT, OUT), b=(2 * OUT,))
def cfn(p, s, x):
    t, e, a = gates(x @ p.Wi.T, 3)
    t, e = gates(sigmoid(torch.cat([t, e], -1) + s.h @ p.Wh.T + p.b), 2)
    h = t * tanh(s.h) + e * tanh(a)
    return [h], h


@cell("MultiplicativeLSTMCell", "hc", Wi=(4 * OUT, IN), Wm=(OUT, IN), Wmh=(OUT, OUT), Wh=(4 * OUT, OUT), b=(4 * OUT,))
def multiplicative_lstm(p, s, x):
    m = (x @ p.Wm.T) * (s.h @ p.Wmh.T)
    i, f, g, o = gates(x @ p.Wi.T + m @ p.Wh.T + p.b, 4)
    c = sigmoid(f) * s.c + sigmoid(i) * tanh(g)
    h = sigmoid(o) * tanh(c)
    return [h, c], h


@cell("CoupledLSTMCell", "hc", Wi=(3 * OUT, IN), Wh=(3 * OUT, OUT), b=(3 * OUT,))
def coupled_lstm(p, s, x):
    i, g, o = gates(x @ p.Wi.T + s.h @ p.Wh.T + p.b, 3)
    c = (1 - sigmoid(i)) * s.c + sigmoid(i) * tanh(g)
    h = sigmoid(o) * tanh(c)
    return [h, c], h


UNITS = 2 * OUT


@cell("ProjectedLSTMCell", dict(h=OUT, c=UNITS), Wi=(4 * UNITS, IN), Wh=(4 * UNITS, OUT), Wr=(OUT, UNITS),
      b=(4 * UNITS,))
def projected_lstm(p, s, x):
    i, f, g, o = gates(x @ p.Wi.T + s.h @ p.Wh.T + p.b, 4)
    c = sigmoid(f) * s.c + sigmoid(i) * tanh(g)
    h = (sigmoid(o) * tanh(c)) @ p.Wr.T
    return [h, c], h


@cell("NASCell", "hc", Wi=(8 * OUT, IN), Wh=(8 * OUT, OUT), b=(8 * OUT,))
def nas(p, s, x):
    u, v = gates(x @ p.Wi.T, 8), gates(s.h @ p.Wh.T + p.b, 8)
    a = tanh(sigmoid(u[0] + v[0]) * relu(u[1] + v[1]))
    e = tanh(sigmoid(u[2] + v[2]) + relu(u[3] * v[3]))
    q = tanh(tanh(u[4] + v[4]) * sigmoid(u[5] + v[5]))
    w = sigmoid(tanh(u[6] + v[6]) + sigmoid(u[7] + v[7]))
    c = tanh(a + s.c) * e
    h = tanh(c * tanh(q + w))
    return [h, c], h


@cell("SCRNCell", "hs", Wi=(2 * OUT, IN), Wh=(OUT, OUT), Ws=(2 * OUT, OUT), U=(OUT, OUT))
def scrn(p, s, x):
    a, e = gates(x @ p.Wi.T, 2)
    context = 0.05 * a + 0.95 * s.s
    q, v = gates(context @ p.Ws.T, 2)
    h = sigmoid(q + e + s.h @ p.Wh.T)
    return [h, context], h @ p.U.T + v


@cell("RHNCell", Wi=(2 * OUT, IN), **{n + l: (2 * OUT, OUT)[: 1 + (n == "Wh")] for l in "123" for n in ("Wh", "b")})
def rhn(p, s, x):
    h = s.h
    for l in "123":
        a, t = gates(h @ getattr(p, "Wh" + l).T + getattr(p, "b" + l) + (x @ p.Wi.T if l == "1" else 0), 2)
        h = sigmoid(t) * tanh(a) + (1 - sigmoid(t)) * h
    return [h], h


@cell("CoRNNCell", "hz", Wi=(OUT, IN), Wh=(OUT, OUT), Wz=(OUT, OUT), b=(OUT,))
def cornn(p, s, x, dt=0.042, gamma=2.7, epsilon=4.7):
    z = s.z + dt * (tanh(s.h @ p.Wh.T + s.z @ p.Wz.T + x @ p.Wi.T + p.b) - gamma * s.h - epsilon * s.z)
    h = s.h + dt * z
    return [h, z], h


@cell("SRUCell", "c", Wi=(4 * OUT, IN), vf=(OUT,), vr=(OUT,), bf=(OUT,), br=(OUT,))
def sru(p, s, x):
    f, a, r, u = gates(x @ p.Wi.T, 4)
    f, r = sigmoid(f + p.vf * s.c + p.bf), sigmoid(r + p.vr * s.c + p.br)
    c = f * s.c + (1 - f) * a
    return [c], r * c + (1 - r) * u


@cell("QRNNCell", dict(c=OUT, p=IN), Wi=(3 * OUT, IN), Wp=(3 * OUT, IN), b=(3 * OUT,))
def qrnn(p, s, x):
    z, f, o = gates(x @ p.Wi.T + s.p @ p.Wp.T + p.b, 3)
    c = sigmoid(f) * s.c + (1 - sigmoid(f)) * tanh(z)
    return [c, x], sigmoid(o) * c


@cell("MinLSTMCell", Wi=(3 * OUT, IN), b=(3 * OUT,))
def min_lstm(p, s, x):
    f, i, g = gates(x @ p.Wi.T + p.b, 3)
    f, i = sigmoid(f), sigmoid(i)
    h = f / (f + i) * s.h + i / (f + i) * g
    return [h], h


@cell("LRUCell", dict(re=OUT, im=OUT), B=(2 * OUT, IN), Cr=(OUT, OUT), Ci=(OUT, OUT), D=(OUT, IN), nu=(OUT,),
      theta=(OUT,), gamma=(OUT,))
def lru(p, s, x):
    turn = exp(torch.complex(-exp(p.nu), exp(p.theta)))
    h = turn * torch.complex(s.re, s.im) + exp(p.gamma) * torch.complex(*gates(x @ p.B.T, 2))
    return [h.real, h.imag], (h @ torch.complex(p.Cr, p.Ci).T).real + x @ p.D.T


@cell("RGLRUCell", Wi=(OUT, IN), Wg=(2 * OUT, OUT), b=(2 * OUT,), **{"lambda": (OUT,)})
def rglru(p, s, x):
    u = x @ p.Wi.T
    r, i = gates(sigmoid(u @ p.Wg.T + p.b), 2)
    a = exp(-8 * r * F.softplus(getattr(p, "lambda")))
    h = a * s.h + torch.sqrt(1 - a**2) * (i * u)
    return [h], h


@cell("JANETCell", Wi=(2 * OUT, IN), Wh=(2 * OUT, OUT), b=(2 * OUT,))
def janet(p, s, x):
    f, a = gates(x @ p.Wi.T + s.h @ p.Wh.T + p.b, 2)
    h = sigmoid(f) * s.h + (1 - sigmoid(f - 1)) * tanh(a)
    return [h], h


@cell("FastRNNCell", Wi=(OUT, IN), Wh=(OUT, OUT), b=(OUT,), alpha=(1,), beta=(1,))
def fast_rnn(p, s, x):
    h = sigmoid(p.alpha) * tanh(x @ p.Wi.T + s.h @ p.Wh.T + p.b) + sigmoid(p.beta) * s.h
    return [h], h


@cell("FastGRNNCell", Wi=(OUT, IN), Wh=(OUT, OUT), bz=(OUT,), bh=(OUT,), zeta=(1,), nu=(1,))
def fast_grnn(p, s, x):
    a = x @ p.Wi.T + s.h @ p.Wh.T
    z = sigmoid(a + p.bz)
    h = (sigmoid(p.zeta) * (1 - z) + sigmoid(p.nu)) * tanh(a + p.bh) + z * s.h
    return [h], h


def norm(a, gain, bias=None):
    return F.layer_norm(a, a.shape[-1:], gain, bias)


@cell("LayerNormLSTMCell", "hc", Wi=(4 * OUT, IN), Wh=(4 * OUT, OUT), gi=(4 * OUT,), gh=(4 * OUT,), b=(4 * OUT,),
      gc=(OUT,), bc=(OUT,))
def layer_norm_lstm(p, s, x):
    i, f, g, o = gates(norm(x @ p.Wi.T, p.gi) + norm(s.h @ p.Wh.T, p.gh) + p.b, 4)
    c = sigmoid(f) * s.c + sigmoid(i) * tanh(g)
    h = sigmoid(o) * tanh(norm(c, p.gc, p.bc))
    return [h, c], h


@cell("LayerNormGRUCell", Wi=(3 * OUT, IN), Wh=(3 * OUT, OUT), gi=(3 * OUT,), gh=(3 * OUT,), b=(3 * OUT,),
      bh=(3 * OUT,))
def layer_norm_gru(p, s, x):
    i, h = gates(norm(x @ p.Wi.T, p.gi, p.b), 3), gates(norm(s.h @ p.Wh.T, p.gh, p.bh), 3)
    r, z = sigmoid(i[0] + h[0]), sigmoid(i[1] + h[1])
    h = (1 - z) * tanh(i[2] + r * h[2]) + z * s.h
    return [h], h


@cell("LiGRUCell", Wi=(2 * OUT, IN), Wh=(2 * OUT, OUT), g=(2 * OUT,), b=(2 * OUT,))
def ligru(p, s, x):
    a, z = gates(norm(x @ p.Wi.T, p.g, p.b) + s.h @ p.Wh.T, 2)
    h = sigmoid(z) * s.h + (1 - sigmoid(z)) * relu(a)
    return [h], h


@cell("S5Cell", dict(re=OUT, im=OUT), B=(2 * OUT, IN), Cr=(OUT, OUT), Ci=(OUT, OUT), D=(OUT, IN), lr=(OUT,), li=(OUT,),
      delta=(OUT,))
def s5(p, s, x):
    l = torch.complex(p.lr, p.li)
    turn = exp(l * exp(p.delta))
    h = turn * torch.complex(s.re, s.im) + (turn - 1) / l * torch.complex(*gates(x @ p.B.T, 2))
    return [h.real, h.imag], 2 * (h @ torch.complex(p.Cr, p.Ci).T).real + x @ p.D.T


@cell("SLSTMCell", dict(h=OUT, c=0.0, n=0.0, m=-1e4), Wi=(4 * OUT, IN), Wh1=(4 * OUT, OUT), b=(4 * OUT,))
def slstm(p, s, x):
    i, f, z, o = gates(x @ p.Wi.T + s.h @ p.Wh1.T + p.b, 4)
    m = torch.maximum(i, F.logsigmoid(f) + s.m)
    i, f = exp(i - m), exp(F.logsigmoid(f) + s.m - m)
    c = f * s.c + i * tanh(z)
    n = f * s.n + i
    h = sigmoid(o) * c / n
    return [h, c, n, m], h


def by_columns(s):
    """A state of one head as a matrix."""
    return s.unflatten(-1, (OUT, OUT)).transpose(-1, -2)


def flat(m):
    return m.transpose(-1, -2).flatten(-2)


def outer(a, b):
    return a.unsqueeze(-1) * b.unsqueeze(-2)


def times(m, v):
    return (m @ v.unsqueeze(-1)).squeeze(-1)


@cell("MLSTMCell", dict(C=OUT * OUT, n=0.0, m=(1, 0.0)), Wi=(4 * OUT, IN), b=(4 * OUT,), Wg=(2, IN), bg=(2,))
def mlstm(p, s, x):
    q, k, v, o = gates(x @ p.Wi.T + p.b, 4)
    k = k / OUT**0.5
    i, f = gates(x @ p.Wg.T + p.bg, 2)
    m = torch.maximum(i, F.logsigmoid(f) + s.m)
    i, f = exp(i - m), exp(F.logsigmoid(f) + s.m - m)
    c = f.unsqueeze(-1) * by_columns(s.C) + i.unsqueeze(-1) * outer(v, k)
    n = f * s.n + i * k
    h = times(c, q) / torch.maximum((n * q).sum(-1, keepdim=True).abs(), exp(-m))
    return [flat(c), n, m], sigmoid(o) * h


def unit(a, epsilon):
    return a / torch.sqrt((a * a).sum(-1, keepdim=True) + epsilon)


@cell("GatedDeltaNetCell", dict(S=OUT * OUT), Wi=(3 * OUT, IN), Wg=(2, IN), A=(1,), b=(1,))
def gated_delta_net(p, s, x):
    q, k, v = gates(F.silu(x @ p.Wi.T), 3)
    q, k = unit(q, 1e-6), unit(k, 1e-6)
    beta, a = gates(x @ p.Wg.T, 2)
    beta, alpha = sigmoid(beta).unsqueeze(-1), exp(-exp(p.A) * F.softplus(a + p.b)).unsqueeze(-1)
    m = by_columns(s.S)
    m = alpha * m @ (torch.eye(OUT) - beta * outer(k, k)) + beta * outer(v, k)
    return [flat(m)], times(m, q)


@cell("RWKV7Cell", dict(S=OUT * OUT), Wi=(3 * OUT, IN), Wg=(2 * OUT, IN), b=(2 * OUT,), xi=(OUT,), mu=(OUT,),
      rho=(OUT,))
def rwkv7(p, s, x):
    r, k, v = gates(x @ p.Wi.T, 3)
    w, a = gates(sigmoid(x @ p.Wg.T + p.b), 2)
    w = exp(-torch.exp(torch.tensor(-0.5)) * w)
    kappa = unit(k * p.xi, 1e-12)
    k = k * (1 + (a - 1) * p.mu)
    m = by_columns(s.S)
    m = m @ (torch.diag_embed(w) - outer(kappa, a * kappa)) + outer(v, k)
    return [flat(m)], times(m, r) + (r * p.rho * k).sum(-1, keepdim=True) * v


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


def numbers(name):
    torch.manual_seed(1000 + sum(map(ord, name)))
    sizes, states, _ = CELLS[name]
    parts = [rand(*size, scale=0.6).requires_grad_() for size in sizes.values()]
    initial = [
        rand(size, scale=0.5).requires_grad_() if isinstance(size, int)
        else torch.full(*((size[:1], size[1]) if isinstance(size, tuple) else ((OUT,), size)))
        for size in states.values()
    ]
    return sizes, states, parts, initial, rand(T, BATCH, IN).requires_grad_()


def write(name):
    sizes, states, parts, initial, x = numbers(name)
    y, last = run(name, parts, initial, x)
    r, rest = rand(*y.shape), [rand(*s.shape) for s in last]

    def loss(*inputs):
        y, last = run(name, inputs[: len(sizes)], inputs[len(sizes) : -1], inputs[-1])
        return (y * r).sum() + sum((s * w).sum() for s, w in zip(last, rest))

    inputs = [*parts, *initial, x]
    assert torch.autograd.gradcheck(loss, inputs), name
    loss(*inputs).backward()

    out = Out(f"catalogue/{name}.txt", "loss = sum(y*r) + sum over states of sum(s*rT_s); made by make_cells.py",
              *(["outputs agree with {2} of {0} {1}".format(*SOURCES[name])] if name in SOURCES else []))
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
        if t.requires_grad:
            out.put("d" + n, column(t.grad) if n != "x" else t.grad)
    out.save()


# --- the authors' code ---------------------------------------------------------------------------------------------
# For a cell: repository, file and name of a function or class, and how its outputs are had from it: of the borrowed
# code, the parts and the initial states by name, and x. Nothing of it is kept here.


def reordered(w, *order):
    return torch.cat([w.chunk(len(order), 0)[k] for k in order], 0)


def haste_lstm(code, p, s, x):
    p = {n: reordered(t, 0, 2, 1, 3) if n in ("Wi", "Wh", "gi", "gh", "b") else t for n, t in vars(p).items()}
    return code(True, 0.0, x, s.h, s.c, p["Wi"].T, p["Wh"].T, p["b"], torch.stack([p["gi"], p["gh"]]), p["gc"], p["bc"],
                None)[0][1:]


def haste_gru(code, p, s, x):
    p = {n: reordered(t, 1, 0, 2) for n, t in vars(p).items()}
    return code(True, 0.0, x, s.h, p["Wi"].T, p["Wh"].T, p["b"], p["bh"], torch.stack([p["gi"], p["gh"]]), None)[1:]


def nxai_slstm(code, p, s, x):
    states = torch.stack([s.h, s.c, s.n, s.m])
    outputs = []
    for t in range(T):
        states, _ = code(x[t] @ p.Wi.T, states[0] @ p.Wh1.T, p.b, states, {})
        outputs.append(states[0])
    return torch.stack(outputs)


def rusch_cornn(code, p, s, x):
    cell = code(IN, OUT, 0.042, 2.7, 4.7)
    cell.i2h.weight.data, cell.i2h.bias.data = torch.cat([p.Wi, p.Wz, p.Wh], 1), p.b
    y, z, outputs = s.h, s.z, []
    for t in range(T):
        y, z = cell(x[t], y, z)
        outputs.append(y)
    return torch.stack(outputs)


def salesforce_forget_mult(code, p, s, x):
    z, f, o = gates(torch.stack([a @ p.Wi.T + b @ p.Wp.T + p.b for a, b in zip(x, [s.p, *x[:-1]])]), 3)
    return sigmoid(o) * code()(1 - sigmoid(f), tanh(z), s.c)


def asapp_sru(code, p, s, x):
    f, a, r, u = gates(x @ p.Wi.T, 4)
    of_units = torch.stack([a, f, r, u], -1).flatten(2)
    return code(of_units, x, torch.cat([p.vf, p.vr]), torch.cat([p.bf, p.br]), s.c, 0, OUT, False, True)[0]


def torch_lstm(code, p, s, x):
    lstm = code(IN, UNITS, proj_size=OUT)
    lstm.weight_ih_l0.data, lstm.weight_hh_l0.data, lstm.weight_hr_l0.data = p.Wi, p.Wh, p.Wr
    lstm.bias_ih_l0.data, lstm.bias_hh_l0.data = p.b, 0 * p.b
    return lstm(x, (s.h[None], s.c[None]))[0]


def nxai_mlstm(code, p, s, x):
    q, k, v, o = gates(x @ p.Wi.T + p.b, 4)
    i, f = gates(x @ p.Wg.T + p.bg, 2)
    one = lambda a: a[:, None, None].clone()  # it changes its inputs
    c, n, m = by_columns(s.C).transpose(-1, -2)[:, None], s.n[:, None, :, None], s.m[:, None, :, None]
    outputs = []
    for t in range(T):
        h, (c, n, m) = code(c, n, m, one(q[t]), one(k[t]), one(v[t]), one(i[t]), one(f[t]), eps=0)
        outputs.append(sigmoid(o[t]) * h[:, 0, 0])
    return torch.stack(outputs)


def by_batch(*tensors):
    """T x B x n as B x T x 1 head x n."""
    return [a.transpose(0, 1).unsqueeze(2) for a in tensors]


def fla_gated_delta_rule(code, p, s, x):
    q, k, v = gates(F.silu(x @ p.Wi.T), 3)
    beta, a = gates(x @ p.Wg.T, 2)
    q, k, v, beta, g = by_batch(unit(q, 1e-6), unit(k, 1e-6), v, sigmoid(beta), -exp(p.A) * F.softplus(a + p.b))
    state = by_columns(s.S).transpose(-1, -2)[:, None]
    y, _ = code(q, k, v, beta[..., 0], g[..., 0], scale=1, initial_state=state)
    return y[:, :, 0].transpose(0, 1)


def fla_dplr(code, p, s, x):
    r, k, v = gates(x @ p.Wi.T, 3)
    w, a = gates(sigmoid(x @ p.Wg.T + p.b), 2)
    kappa, key = unit(k * p.xi, 1e-12), k * (1 + (a - 1) * p.mu)
    its = by_batch(r * OUT**0.5, key, v, -kappa, a * kappa, -exp(torch.tensor(-0.5)) * w)
    y, _ = code(*(t.transpose(1, 2).float() for t in its), initial_state=by_columns(s.S).transpose(-1, -2)[:, None])
    return y[:, 0].transpose(0, 1) + (r * p.rho * key).sum(-1, keepdim=True) * v


IN_FLOAT32 = "fla-org/flash-linear-attention"

SOURCES = {
    "LayerNormLSTMCell": ("lmnt-com/haste", "frameworks/pytorch/layer_norm_lstm.py", "LayerNormLSTMScript", haste_lstm),
    "LayerNormGRUCell": ("lmnt-com/haste", "frameworks/pytorch/layer_norm_gru.py", "LayerNormGRUScript", haste_gru),
    "SLSTMCell": ("NX-AI/xlstm", "xlstm/blocks/slstm/src/vanilla/slstm.py", "slstm_forward_pointwise", nxai_slstm),
    "CoRNNCell": ("tk-rusch/coRNN", "sMNIST/network.py", "coRNNCell", rusch_cornn),
    "QRNNCell": ("salesforce/pytorch-qrnn", "torchqrnn/forget_mult.py", "CPUForgetMult", salesforce_forget_mult),
    "SRUCell": ("asappresearch/sru", "sru/ops.py", "elementwise_recurrence_naive", asapp_sru),
    "MLSTMCell": ("NX-AI/xlstm", "xlstm/blocks/mlstm/backends.py", "recurrent_step_stabilized_simple", nxai_mlstm),
    "GatedDeltaNetCell": ("fla-org/flash-linear-attention", "fla/ops/gated_delta_rule/naive.py",
                          "naive_recurrent_gated_delta_rule", fla_gated_delta_rule),
    "RWKV7Cell": ("fla-org/flash-linear-attention", "fla/ops/generalized_delta_rule/dplr/naive.py", "dplr_recurrence",
                  fla_dplr),
    "ProjectedLSTMCell": ("PyTorch", "", "torch.nn.LSTM", torch_lstm),
}


def borrowed(folder, repository, path, name):
    if repository == "PyTorch":
        return torch.nn.LSTM
    tree = ast.parse((pathlib.Path(folder) / repository / path).read_text())
    its = [node for node in tree.body if getattr(node, "name", None) == name]
    its[0].decorator_list = []
    names = dict(math=math, torch=torch, nn=torch.nn, F=F, Tensor=torch.Tensor, Optional=Optional, List=List,
                 warnings=warnings, logsigmoid=F.logsigmoid)
    exec(compile(ast.Module(its, []), path, "exec"), names)
    return names[name]


def compare(folder):
    """The outputs of the cells above with those of the authors' code, on the numbers of the files."""
    for name, (repository, path, its, outputs) in SOURCES.items():
        sizes, states, parts, initial, x = numbers(name)
        y, _ = run(name, parts, initial, x)
        wide = [s.expand(BATCH, -1) for s in initial]
        theirs = outputs(borrowed(folder, repository, path, its), Named(sizes, parts), Named(states, wide), x)
        error = (y - theirs).abs().max().item()
        print(f"{name}: {repository} {its}, largest difference {error:.1e}")
        assert error < (1e-6 if repository == IN_FLOAT32 else 1e-12), name


def main():
    for name in CELLS:
        write(name)
    if len(sys.argv) > 1:
        compare(sys.argv[1])


if __name__ == "__main__":
    main()
