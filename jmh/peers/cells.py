"""Cells that PyTorch lacks, as one who knows it writes them for speed (see pytorch.py).

eager     the input's product of all steps before the loop, as few operations as there are in it
compile   the same under torch.compile

Cells that are linear in the state, h' = a*h + u, have four ways more:

loop              a step at a time
logarithms        cumulative sums of logarithms, in double precision (arXiv:2410.01201, appendix B)
chunks            all chunks a step at a time, then the chunks, then both together
associative_scan  torch's own, compiled
"""
import torch
from torch.nn.functional import layer_norm, linear

CHUNK = 256  # steps, of 65 536: as many chunks as steps in each


def update_gate(p, sums, h):
    gate, candidate = torch.addmm(sums, h, p["Wh"].t()).chunk(2, 1)
    h = torch.lerp(torch.tanh(candidate), h, torch.sigmoid(gate))
    return h, h


def minimal_gated(p, sums, h):
    forget, candidate = sums.chunk(2, 1)
    forget = torch.sigmoid(torch.addmm(forget, h, p["Wh"].t()))
    h = torch.lerp(h, torch.tanh(torch.addmm(candidate, forget * h, p["Whc"].t())), forget)
    return h, h


def light(p, sums, h):
    candidate, update = torch.addmm(sums, h, p["Wh"].t()).chunk(2, 1)
    h = torch.lerp(torch.relu(candidate), h, torch.sigmoid(update))
    return h, h


def peephole(p, sums, state):
    h, c = state
    i, f, g, o = torch.addmm(sums, h, p["Wh"].t()).chunk(4, 1)
    i = torch.sigmoid(torch.addcmul(i, p["pi"], c))
    f = torch.sigmoid(torch.addcmul(f, p["pf"], c))
    c = torch.addcmul(f * c, i, torch.tanh(g))
    h = torch.sigmoid(torch.addcmul(o, p["po"], c)) * torch.tanh(c)
    return h, (h, c)


def normalised(p, sums, state):
    h, c = state
    rows = sums.shape[1]
    i, f, g, o = (sums + layer_norm(h @ p["Wh"].t(), (rows,), p["gh"])).chunk(4, 1)
    c = torch.addcmul(torch.sigmoid(f) * c, torch.sigmoid(i), torch.tanh(g))
    h = torch.sigmoid(o) * torch.tanh(layer_norm(c, (rows // 4,), p["gc"], p["bc"]))
    return h, (h, c)


CELLS = {
    "UGRNN": (update_gate, "Wi Wh b"),
    "MGU": (minimal_gated, "Wi Wh Whc b"),
    "LiGRU": (light, "Wi Wh b g"),
    "peephole LSTM": (peephole, "Wi Wh b pi pf po"),
    "LayerNorm LSTM": (normalised, "Wi Wh b gi gh gc bc"),
    "minGRU": (None, "Wi b"),
    "minGRU scan": (None, ""),
    "LRU": (None, "B Cr Ci D nu theta gamma"),
    "LRU scan": (None, "re im"),
}
SCANS = ("minGRU scan", "LRU scan")  # with no weights to train: x has the gradient


def recurrent(cell, p, x, state):
    """All steps of a cell whose every step needs the step before."""
    gain = p.get("gi", p.get("g"))
    sums = linear(x, p["Wi"], p["b"] if gain is None else None)
    if gain is not None:
        sums = layer_norm(sums, (sums.shape[2],), gain, p["b"])
    outputs = []
    for t in sums.unbind(0):
        y, state = cell(p, t, state)
        outputs.append(y)
    return torch.stack(outputs), state


def loop(a, u):
    h, states = torch.zeros_like(u[0]), []
    for at, ut in zip(a.unbind(0), u.unbind(0)):
        h = torch.addcmul(ut, at, h)
        states.append(h)
    return torch.stack(states)


def logarithms(a, u):
    """h_t = e^A_t * (sum of u_k / e^A_k), where A is the sum of log a: in float32 it would lose A's last digits."""
    wide = torch.complex128 if u.is_complex() else torch.float64
    a = a.to(wide).log().cumsum(0)

    def scan(u):
        return torch.exp(a + torch.logcumsumexp(u.to(wide).log() - a, 0))

    if u.is_complex():
        return scan(u).to(u.dtype)
    tiny = torch.finfo(u.dtype).tiny  # the logarithm of 0 has no derivative
    return (scan(u.clamp(min=tiny)) - scan((-u).clamp(min=tiny))).to(u.dtype)


def chunks(a, u):
    shape = (-1, CHUNK) + u.shape[1:]
    a, inside = a.reshape(shape), loop(a.reshape(shape).transpose(0, 1), u.reshape(shape).transpose(0, 1))
    inside, product = inside.transpose(0, 1), a.cumprod(1)
    ends = loop(product[:, -1], inside[:, -1])
    before = torch.cat([torch.zeros_like(ends[:1]), ends[:-1]])
    return torch.addcmul(inside, product, before.unsqueeze(1)).reshape(u.shape)


def associative(a, u):
    from torch._higher_order_ops.associative_scan import associative_scan
    if not u.is_complex():
        return associative_scan(lambda x, y: (x[0] * y[0], x[1] * y[0] + y[1]), (a, u), 0, combine_mode="generic")[1]

    def rotate(x, y):  # the compiler knows no complex numbers
        a, b, c, d = x[0], x[1], y[0], y[1]
        return a * c - b * d, a * d + b * c, x[2] * c - x[3] * d + y[2], x[2] * d + x[3] * c + y[3]

    parts = tuple(part.contiguous() for z in (a, u) for part in (z.real, z.imag))
    return torch.complex(*associative_scan(rotate, parts, 0, combine_mode="generic")[2:])


WAYS = {"loop": loop, "logarithms": logarithms, "chunks": chunks, "associative_scan": associative}


def minimal(p, x, scan):
    z, candidate = (linear(x, p["Wi"], p["b"]) if p else x).chunk(2, 2)
    if not p:
        return scan(z, candidate)
    z = torch.sigmoid(z)
    return scan(1 - z, z * candidate)


def unit(p, x, scan):
    re, im = (linear(x, p["B"]) if "B" in p else x).chunk(2, 2)
    if "B" not in p:
        h = scan(torch.complex(p["re"], p["im"]).expand(re.shape), torch.complex(re, im))
        return torch.cat([h.real, h.imag], 2)
    scale = p["gamma"].exp()
    lambdas = torch.polar((-p["nu"].exp()).exp(), p["theta"].exp())
    h = scan(lambdas.expand(re.shape), torch.complex(scale * re, scale * im))
    return linear(h.real, p["Cr"]) - linear(h.imag, p["Ci"]) + p["D"] * x


class Model:
    """Parameters, and what is computed with them."""

    def __init__(self, work, way):
        self.work = work
        self.cell, names = CELLS[work.cell]
        self.p = {name: parameter(work, name) for name in names.split()}
        if self.cell:
            run = lambda x, state: recurrent(self.cell, self.p, x, state)
        else:
            layer, scan = minimal if work.cell.startswith("minGRU") else unit, WAYS[way]
            run = lambda x, state: (layer(self.p, x, scan), None)
        isCompiled = way in ("compile", "associative_scan")
        self.run = torch.compile(run, fullgraph=True, dynamic=False) if isCompiled else run

    def __call__(self, x, state=None):
        if state is None and self.cell:
            h = torch.zeros(self.work.batch, self.work.hidden)
            state = (h, h) if "LSTM" in self.work.cell else h
        return self.run(x, state)


def parameter(work, name):
    values = work.array(name + "0")
    columns = {"W": work.hidden, "B": work.inputs, "C": work.hidden}.get(name[0], 1)
    if name == "Wi":
        columns = work.inputs
    if columns > 1:
        values = values.view(columns, -1).t().contiguous()
    return values.requires_grad_()


def sequence(base):
    class Own(base):
        """As pytorch.py's Sequence, of such a cell."""

        def __init__(self, work, way):
            self.way = way
            super().__init__(work)

        def build(self):
            self.net = Model(self.work, self.way)
            self.x.requires_grad_(self.work.cell in SCANS)

        def forget(self):
            self.x.grad = None
            for p in self.net.p.values():
                p.grad = None

        def gradients(self):
            for name, p in self.net.p.items():
                yield f"d{name}0", p.grad.t() if p.dim() == 2 else p.grad
            if self.x.grad is not None:
                yield "dx", self.x.grad

    return Own
