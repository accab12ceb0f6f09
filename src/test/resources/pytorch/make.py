"""Writes the reference numbers that the tests compare with, beside this file.

Run:   python3 make.py          (needs the package torch; CPU is enough)
Made with torch 2.13.0, in float64; the results are rounded to 9 digits.

One line per tensor, `name DIMS v v v ...`, DIMS like 3x5x7, FIRST dimension contiguous.
A sequence is features x batch x time, a weight is out x in, a batch is features x batch.
Lines beginning with # are comments.  All inputs (never the results) are multiples of 1/256
below 10, so the text holds them exactly and float holds them as exactly as double.
"""
import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
HERE = pathlib.Path(__file__).resolve().parent


class Out:
    """One file; put() takes tensors in PyTorch's order, whose LAST dimension is contiguous."""

    def __init__(self, name, *comments):
        self.name = name
        self.lines = [f"# made by make.py with torch {torch.__version__.split('+')[0]}, float64"]
        self.lines += [f"# {c}" for c in comments]

    def put(self, name, t):
        t = t.detach()
        dims = "x".join(str(d) for d in reversed(t.shape)) or "1"
        values = " ".join("%.9g" % (v + 0.0) for v in t.contiguous().flatten().tolist())
        self.lines.append(f"{name} {dims} {values}")

    def save(self):
        path = HERE / self.name
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(self.lines) + "\n")
        print(self.name)


def snap(t):
    """To multiples of 1/256."""
    return torch.round(t * 256) / 256


def rand(*shape, scale=1.0):
    return snap(torch.randn(*shape) * scale).clamp(-9.5, 9.5)


# --- cells -------------------------------------------------------------------------------------

IN, HIDDEN, T = 3, 4, 7
GATES = {"rnn_tanh": 1, "rnn_relu": 1, "lstm": 4, "gru": 3}
EQUATION = {
    "rnn_tanh": "h' = tanh(Wi x + Wh h + b)",
    "rnn_relu": "h' = relu(Wi x + Wh h + b)",
    "lstm": "gate rows: input, forget, cell, output",
    "gru": "gate rows: reset, update, candidate; n = tanh(Wi_n x + b_n + r*(Wh_n h + bh)), "
           "h' = (1-z)*n + z*h",
}


def network(kind, layers):
    if kind.startswith("rnn"):
        net = torch.nn.RNN(IN, HIDDEN, layers, nonlinearity=kind[4:])
    else:
        net = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind](IN, HIDDEN, layers)
    with torch.no_grad():
        for name, p in net.named_parameters():
            p.copy_(rand(*p.shape, scale=0.6))
            if name.startswith("bias_hh"):
                p[: 2 * HIDDEN if kind == "gru" else None] = 0
    return net


def relu_well_placed(net, x, h0):
    """Every unit of every layer both on and off, and no pre-activation near the kink."""
    for l in range(net.num_layers):
        wi, wh, bi, _ = net.all_weights[l]
        h, pres = h0[l].expand(x.shape[1], HIDDEN), []
        for t in range(T):
            pres.append(x[t] @ wi.t() + h @ wh.t() + bi)
            h = torch.relu(pres[-1])
        pre = torch.stack(pres)
        on = (pre > 0).flatten(0, 1)
        if pre.abs().min() < 5e-3 or on.all(0).any() or not on.any(0).all():
            return False
        x = torch.relu(pre)
    return True


def cell(kind, batch, given, layers, seed):
    torch.manual_seed(seed)
    while True:
        net = network(kind, layers)
        x = rand(T, batch, IN).requires_grad_()
        h0, c0 = rand(layers, HIDDEN, scale=0.5), rand(layers, HIDDEN, scale=0.5)
        if not given:
            h0, c0 = torch.zeros_like(h0), torch.zeros_like(c0)
        if kind != "rnn_relu" or relu_well_placed(net, x, h0):
            break
    h0.requires_grad_()
    c0.requires_grad_()
    r, rh, rc = rand(T, batch, HIDDEN), rand(layers, batch, HIDDEN), rand(layers, batch, HIDDEN)
    wide = lambda s: s[:, None, :].expand(layers, batch, HIDDEN).contiguous()
    lstm = kind == "lstm"
    if lstm:
        y, (hT, cT) = net(x, (wide(h0), wide(c0)))
    else:
        y, hT = net(x, wide(h0))
    loss = (y * r).sum() + (hT * rh).sum() + ((cT * rc).sum() if lstm else 0)
    loss.backward()

    name = f"cells/{kind}_b{batch}_{'state' if given else 'zero'}_l{layers}.txt"
    out = Out(name, EQUATION[kind],
              "loss = sum(y*r) + sum over layers of sum(hT*rT_h)"
              + (" + sum(cT*rT_c)" if lstm else ""),
              "h0_L, c0_L: one vector for the whole batch" if given else "initial state zero")
    for l in range(layers):
        wi, wh, bi, bh = net.all_weights[l]
        out.put(f"Wi{l}", wi.t())
        out.put(f"Wh{l}", wh.t())
        out.put(f"b{l}", bi)
        if kind == "gru":
            out.put(f"bh{l}", bh[2 * HIDDEN:])
        if given:
            out.put(f"h0_{l}", h0[l])
            if lstm:
                out.put(f"c0_{l}", c0[l])
    out.put("x", x)
    out.put("r", r)
    for l in range(layers):
        out.put(f"rT_h{l}", rh[l])
        if lstm:
            out.put(f"rT_c{l}", rc[l])
    out.put("y", y)
    for l in range(layers):
        out.put(f"hT{l}", hT[l])
        if lstm:
            out.put(f"cT{l}", cT[l])
    out.put("loss", loss)
    out.put("dx", x.grad)
    for l in range(layers):
        wi, wh, bi, bh = net.all_weights[l]
        out.put(f"dWi{l}", wi.grad.t())
        out.put(f"dWh{l}", wh.grad.t())
        out.put(f"db{l}", bi.grad)
        if kind == "gru":
            out.put(f"dbh{l}", bh.grad[2 * HIDDEN:])
        if given:
            out.put(f"dh0_{l}", h0.grad[l])
            if lstm:
                out.put(f"dc0_{l}", c0.grad[l])
    out.save()


def cells():
    seed = 1
    for kind in GATES:
        for batch in 1, 5:
            for given in False, True:
                for layers in 1, 2:
                    cell(kind, batch, given, layers, seed)
                    seed += 1


# --- elementwise, losses -----------------------------------------------------------------------

def elementwise():
    functions = {
        "tanh": torch.tanh,
        "sigmoid": torch.sigmoid,
        "relu": torch.relu,
        "leaky_relu": lambda x: F.leaky_relu(x, 0.01),
        "elu": lambda x: F.elu(x, 1.0),
        "softplus": lambda x: torch.log1p(torch.exp(x)),
        "softsign": F.softsign,
        "swish": F.silu,
        "gelu": lambda x: F.gelu(x, approximate="tanh"),
        "exp": torch.exp,
        "log": torch.log,
        "square": torch.square,
        "identity": lambda x: x * 1,
        "abs": torch.abs,
        "sqrt": torch.sqrt,
        "reciprocal": torch.reciprocal,
        "negate": torch.neg,
        "hard_sigmoid": F.hardsigmoid,
        "hard_tanh": F.hardtanh,
        "relu6": F.relu6,
        "sin": torch.sin,
        "cos": torch.cos,
        "gelu_erf": F.gelu,
    }
    out = Out("elementwise.txt", "y = f(x), d = f'(x)",
              "leaky_relu slope 0.01, elu alpha 1, softplus = log1p(exp(x)), swish = x*sigmoid(x), "
              "gelu in its tanh approximation")
    spread = torch.linspace(-6, 6, 24)  # even count: never 0
    kinks = {"abs": [0], "hard_sigmoid": [-3, 3], "hard_tanh": [-1, 1], "relu6": [0, 6]}
    for name, f in functions.items():
        x = torch.cat([spread, torch.tensor(kinks.get(name, []), dtype=torch.float64)])
        if name in ("log", "sqrt"):
            x = torch.logspace(-2, 0.9, 24)
        x = snap(x).requires_grad_()
        y = f(x)
        y.sum().backward()
        out.put(f"x_{name}", x)
        out.put(f"y_{name}", y)
        out.put(f"d_{name}", x.grad)
    out.save()


def slopes():
    out = Out("slopes.txt", "y = f(x), d = f'(x); at 0 too",
              "leaky_relu 0.2, elu 0.7, celu 0.4, selu, prelu with a slope per row, s, and one for all, t")
    x = snap(torch.cat([torch.linspace(-6, 6, 24), torch.tensor([0.0])])).requires_grad_()
    functions = {
        "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
        "elu": lambda x: F.elu(x, 0.7),
        "celu": lambda x: F.celu(x, 0.4),
        "selu": F.selu,
    }
    out.put("x", x)
    for name, f in functions.items():
        x.grad = None
        y = f(x)
        y.sum().backward()
        out.put(f"y_{name}", y)
        out.put(f"d_{name}", x.grad)
    torch.manual_seed(160)
    for name, rows in ("s", 3), ("t", 1):
        x, slope = rand(4, 3, scale=2.0).requires_grad_(), rand(rows, scale=0.3).requires_grad_()
        y = F.prelu(x, slope)
        y.square().sum().backward()
        out.put(f"x_prelu_{name}", x)
        out.put(name, slope)
        out.put(f"y_prelu_{name}", y)
        out.put(f"d_prelu_{name}", x.grad)
        out.put(f"d_{name}", slope.grad)
    out.save()


def binary():
    """Halves, of which many are equal and none of b is 0."""
    torch.manual_seed(150)

    def halves(*shape):
        return torch.round(torch.randn(*shape) * 2) / 2

    def halves_without_zero(*shape):
        b = halves(*shape)
        return torch.where(b == 0, torch.full_like(b, 0.5), b)

    functions = {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div,
                 "minimum": torch.minimum, "maximum": torch.maximum}
    comparisons = {"greater": torch.gt, "greaterEqual": torch.ge, "less": torch.lt,
                   "lessEqual": torch.le, "equal": torch.eq}
    shapes = {"same": (4, 3), "column": (3,), "row": (4, 1), "one": (1,)}
    out = Out("binary.txt", "y = f(a, b); da and db: their gradients for the gradient u of y",
              "b: of a's shape, a column, a row, one value; clamp: within -1 and 0.75")
    a, u = halves(4, 3), rand(4, 3)
    out.put("a", a)
    out.put("u", u)
    for shape, sizes in shapes.items():
        b = halves_without_zero(*sizes)
        out.put(f"b_{shape}", b)
        for name, f in functions.items():
            left, right = a.clone().requires_grad_(), b.clone().requires_grad_()
            y = f(left, right)
            da, db = torch.autograd.grad(y, (left, right), u)
            out.put(f"y_{name}_{shape}", y)
            out.put(f"da_{name}_{shape}", da)
            out.put(f"db_{name}_{shape}", db)
        for name, f in comparisons.items():
            out.put(f"y_{name}_{shape}", f(a, b).double())
    x = torch.tensor([-2, -1, -0.5, 0, 0.75, 1]).requires_grad_()
    y = torch.clamp(x, -1, 0.75)
    y.sum().backward()
    out.put("x_clamp", x)
    out.put("y_clamp", y)
    out.put("d_clamp", x.grad)
    out.save()


def losses():
    torch.manual_seed(100)
    batch, classes = 5, 6
    out = Out("losses.txt", "classes x batch; t: class indexes from 0; p: each column sums to one",
              "cross entropies: mean over the batch; mse of a and b: mean over all elements, "
              "d_mse its gradient on a")
    logits = rand(batch, classes, scale=2.0).requires_grad_()
    t = torch.tensor([2, 0, 5, 2, 4])
    out.put("logits", logits)
    out.put("t", t)
    out.put("softmax", F.softmax(logits, 1))
    out.put("log_softmax", F.log_softmax(logits, 1))
    loss = F.cross_entropy(logits, t)
    out.put("cross_entropy", loss)
    out.put("d_cross_entropy", torch.autograd.grad(loss, logits)[0])
    p = torch.floor(F.softmax(rand(batch, classes), 1) * 256)
    p[:, 0] += 256 - p.sum(1)
    p /= 256
    loss = F.cross_entropy(logits, p)
    out.put("p", p)
    out.put("soft_cross_entropy", loss)
    out.put("d_soft_cross_entropy", torch.autograd.grad(loss, logits)[0])
    a, b = rand(batch, classes).requires_grad_(), rand(batch, classes)
    loss = F.mse_loss(a, b)
    out.put("a", a)
    out.put("b", b)
    out.put("mse", loss)
    out.put("d_mse", torch.autograd.grad(loss, a)[0])
    out.save()


def reductions():
    torch.manual_seed(150)
    out = Out("reductions.txt", "x: features x batch x time, with ties; NAME_DIMENSION and d_NAME_DIMENSION: the "
              "reduction and its gradient for dy_DIMENSION",
              "max is amax, variance is var with correction=0")
    x = (torch.round(rand(3, 4, 5) * 2) / 2).requires_grad_()
    out.put("x", x)
    kinds = {
        "sum": lambda x, d: x.sum(d),
        "mean": lambda x, d: x.mean(d),
        "max": lambda x, d: x.amax(d),
        "variance": lambda x, d: x.var(d, correction=0),
    }
    for dimension, d in {"rows": 2, "columns": 1, "time": 0}.items():
        dy = rand(*x.sum(d).shape)
        out.put(f"dy_{dimension}", dy)
        for name, f in kinds.items():
            y = f(x, d)
            out.put(f"{name}_{dimension}", y)
            out.put(f"d_{name}_{dimension}", torch.autograd.grad(y, x, dy)[0])
    out.save()


def heads():
    """A matrix per column: outer products, and products with a vector per column."""
    torch.manual_seed(350)
    m, n, batch, time = 4, 5, 3, 2
    a, b, q = (rand(time, batch, size).requires_grad_() for size in (m, n, n))
    s = torch.einsum("tbi,tbj->tbij", a, b)
    s.retain_grad()
    y = (s @ q.unsqueeze(-1)).squeeze(-1)
    dy = rand(time, batch, m)
    y.backward(dy)
    out = Out("heads.txt", "s: a bT of each column, its columns one after the other; y = s q")
    by_columns = lambda t: t.transpose(-1, -2).flatten(-2)
    for name, t in dict(a=a, b=b, q=q, dy=dy, s=by_columns(s), y=y, ds=by_columns(s.grad), da=a.grad, db=b.grad,
                        dq=q.grad).items():
        out.put(name, t)
    out.save()


def layer_norm():
    torch.manual_seed(160)
    out = Out("layer_norm.txt", "y = layer_norm(x) over the features with gain, bias and epsilon 1e-5; dx, dgain, dbias "
              "for dy")
    x = rand(3, 4, 7, scale=2.0).requires_grad_()
    gain, bias = rand(7).requires_grad_(), rand(7).requires_grad_()
    dy = rand(3, 4, 7)
    y = F.layer_norm(x, (7,), gain, bias, 1e-5)
    for name, t in {"x": x, "gain": gain, "bias": bias, "dy": dy, "y": y}.items():
        out.put(name, t)
    for name, t in zip(("dx", "dgain", "dbias"), torch.autograd.grad(y, (x, gain, bias), dy)):
        out.put(name, t)
    out.save()


# --- optimisers, clipping ----------------------------------------------------------------------

class Lion(torch.optim.Optimizer):
    """Algorithm 2 of Chen et al. 2023, line by line; PyTorch has none."""

    def __init__(self, params, lr, betas, weight_decay=0.0):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                c = b1 * m + (1 - b1) * p.grad
                p -= group["lr"] * (torch.sign(c) + group["weight_decay"] * p)
                m.copy_(b2 * m + (1 - b2) * p.grad)


def optimisers():
    o = torch.optim
    kinds = {
        "sgd": (o.SGD, dict(lr=0.1)),
        "momentum": (o.SGD, dict(lr=0.1, momentum=0.9)),
        "nesterov": (o.SGD, dict(lr=0.1, momentum=0.9, nesterov=True)),
        "rmsprop": (o.RMSprop, dict(lr=0.01, alpha=0.99, eps=1e-8)),
        "adam": (o.Adam, dict(lr=0.002, betas=(0.9, 0.999), eps=1e-8)),
        "adamw": (o.AdamW, dict(lr=0.002, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)),
        "adagrad": (o.Adagrad, dict(lr=0.01, eps=1e-10)),
        "adadelta": (o.Adadelta, dict(lr=1.0, rho=0.9, eps=1e-6)),
        "adamax": (o.Adamax, dict(lr=0.002, betas=(0.9, 0.999), eps=1e-8)),
        "nadam": (o.NAdam, dict(lr=0.002, betas=(0.9, 0.999), eps=1e-8, momentum_decay=0.004)),
        "amsgrad": (o.Adam, dict(lr=0.002, betas=(0.9, 0.999), eps=1e-8, amsgrad=True)),
        "radam": (o.RAdam, dict(lr=0.002, betas=(0.9, 0.999), eps=1e-8)),
        "lion": (Lion, dict(lr=0.002, betas=(0.9, 0.99))),
        "sgd_all": (o.SGD, dict(lr=0.1, weight_decay=0.02, maximize=True)),
        "momentum_all": (o.SGD, dict(lr=0.1, momentum=0.9, dampening=0.3, weight_decay=0.02, maximize=True)),
        "nesterov_all": (o.SGD, dict(lr=0.1, momentum=0.8, nesterov=True, weight_decay=0.02)),
        "rmsprop_momentum": (o.RMSprop, dict(lr=0.01, alpha=0.95, eps=1e-6, momentum=0.8)),
        "rmsprop_all": (o.RMSprop, dict(lr=0.01, alpha=0.95, eps=1e-6, momentum=0.8, centered=True,
                                        weight_decay=0.02)),
        "adam_all": (o.Adam, dict(lr=0.002, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.02, maximize=True)),
        "adamw_all": (o.AdamW, dict(lr=0.002, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.05)),
        "adagrad_all": (o.Adagrad, dict(lr=0.01, lr_decay=0.1, weight_decay=0.02, initial_accumulator_value=0.5,
                                        eps=1e-6)),
        "adadelta_all": (o.Adadelta, dict(lr=0.5, rho=0.8, eps=1e-5, weight_decay=0.02)),
        "adamax_all": (o.Adamax, dict(lr=0.002, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.02)),
        "nadam_all": (o.NAdam, dict(lr=0.002, betas=(0.8, 0.99), eps=1e-6, momentum_decay=0.01, weight_decay=0.05,
                                    decoupled_weight_decay=True)),
        "amsgrad_all": (o.AdamW, dict(lr=0.002, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.05, amsgrad=True)),
        "radam_all": (o.RAdam, dict(lr=0.002, betas=(0.8, 0.9), eps=1e-6, weight_decay=0.02)),
        "lion_all": (Lion, dict(lr=0.002, betas=(0.8, 0.95), weight_decay=0.05)),
    }
    torch.manual_seed(200)
    start = rand(8)
    gradients = [rand(8) for _ in range(6)]
    gradients[0][:2] = torch.tensor([8.0, -6.0])  # large, then small: amsgrad differs from adam
    for k, g in enumerate(gradients[1:]):
        g[:2] = torch.tensor([3.0 + k, -5.0 + k]) / 256
    gradients[2][3] = 0.0
    for g in gradients:
        g[4] = 0.0  # never a gradient: only decay moves it
    out = Out("optimisers.txt", "p: start; g1..g6: the gradients; NAME_k: the parameter after step k",
              *[f"{name}: " + ", ".join(f"{k} {v}" for k, v in kw.items())
                for name, (_, kw) in kinds.items()],
              "amsgrad keeps the maximum of the second moment before its bias correction",
              "lion: the paper's equations, Algorithm 2 of Chen et al. 2023")
    out.put("p", start)
    for k, g in enumerate(gradients, 1):
        out.put(f"g{k}", g)
    for name, (make, kw) in kinds.items():
        p = torch.nn.Parameter(start.clone())
        optimiser = make([p], **kw)
        for k, g in enumerate(gradients, 1):
            p.grad = g.clone()
            optimiser.step()
            out.put(f"{name}_{k}", p)
    out.save()


def schedules():
    o, s = torch.optim, torch.optim.lr_scheduler
    losses = [3.0, 2.0, 2.0, 1.9999, 1.5, 1.6, 1.7, 1.5, 1.5, 1.5, 1.5, 1.4, 1.4, 1.4, 1.4, 1.4]
    kinds = {
        "cosine_floor": lambda a: s.CosineAnnealingLR(a, T_max=8, eta_min=0.1),
        "one_cycle": lambda a: s.OneCycleLR(a, max_lr=0.8, total_steps=16),
        "one_cycle_set": lambda a: s.OneCycleLR(a, max_lr=0.8, total_steps=16, pct_start=0.5, div_factor=10,
                                                final_div_factor=100),
        "warm_up": lambda a: s.LinearLR(a, start_factor=0.25, total_iters=3),
        "plateau": lambda a: s.ReduceLROnPlateau(a, factor=0.5, patience=1),
        "plateau_set": lambda a: s.ReduceLROnPlateau(a, factor=0.5, patience=0, cooldown=2, min_lr=0.15),
    }
    out = Out("schedules.txt", "losses: observed by the plateaus; NAME: the rates of steps 0 to 7, of one_cycle to 15, of "
              "plateaus the rate before each loss and after the last; the rate is 0.8",
              "cosine_floor: CosineAnnealingLR(T_max=8, eta_min=0.1)", "one_cycle: OneCycleLR(total_steps=16)",
              "one_cycle_set: pct_start=0.5, div_factor=10, final_div_factor=100",
              "warm_up: LinearLR(start_factor=0.25, total_iters=3)",
              "plateau: ReduceLROnPlateau(factor=0.5, patience=1)",
              "plateau_set: factor=0.5, patience=0, cooldown=2, min_lr=0.15",
              "average_k: AveragedModel, exponential with 0.9, of the weights w_k")
    out.put("losses", torch.tensor(losses, dtype=torch.float64))
    for name, make in kinds.items():
        optimiser = o.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.8)
        schedule = make(optimiser)
        rates = [optimiser.param_groups[0]["lr"]]
        for loss in losses if name.startswith("plateau") else range(15 if name.startswith("one") else 7):
            optimiser.step()
            schedule.step(loss) if name.startswith("plateau") else schedule.step()
            rates.append(optimiser.param_groups[0]["lr"])
        out.put(name, torch.tensor(rates, dtype=torch.float64))
    torch.manual_seed(250)
    model = torch.nn.Linear(5, 1, bias=False).double()
    average = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
    for k in range(1, 5):
        with torch.no_grad():
            model.weight.copy_(rand(1, 5))
        average.update_parameters(model)
        out.put(f"w_{k}", model.weight)
        out.put(f"average_{k}", average.module.weight)
    out.save()


def clip():
    torch.manual_seed(300)
    g = rand(10, scale=3.0)
    p = torch.nn.Parameter(torch.zeros(10))
    out = Out("clip.txt", "clip_norm: scaled to norm 5, by 5/(norm + 1e-6) as PyTorch does; "
              "clip_value: cut to [-1, 1]")
    out.put("g", g)
    p.grad = g.clone()
    norm = torch.nn.utils.clip_grad_norm_([p], 5.0)
    assert norm > 5
    out.put("norm", norm)
    out.put("clip_norm", p.grad)
    p.grad = g.clone()
    torch.nn.utils.clip_grad_value_([p], 1.0)
    out.put("clip_value", p.grad)
    out.save()


if __name__ == "__main__":
    cells()
    elementwise()
    slopes()
    binary()
    losses()
    reductions()
    heads()
    layer_norm()
    optimisers()
    schedules()
    clip()
