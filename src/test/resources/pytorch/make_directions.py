"""Writes the reference numbers of two directions, stacks, connections and attention, beside this file.

Run:   python3 make_directions.py          (needs the package torch; CPU is enough)
Made with torch 2.13.0, in float64; make.py describes the format.
"""
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from make import Out, rand

IN, HIDDEN, BATCH, T = 3, 4, 3, 5
LENGTHS = [3, 5, 1]


# --- two directions, of 1 to 3 layers ------------------------------------------------------------

def network(kind, layers):
    settings = dict(num_layers=layers, bidirectional=True)
    net = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind](IN, HIDDEN, **settings)
    with torch.no_grad():
        for name, p in net.named_parameters():
            p.copy_(rand(*p.shape, scale=0.6))
            if "bias_hh" in name:
                p[: 2 * HIDDEN if kind == "gru" else None] = 0
    return net


def directions(kind, layers):
    torch.manual_seed(500 + 10 * layers + len(kind) + ord(kind[0]))
    out = Out(f"directions/{kind}_l{layers}.txt", "layer l, direction f (forward) or b (backward): WiLD, WhLD, bLD, of a GRU bhLD",
              "h0_LD, c0_LD: initial states; y, hT_LD: outputs and last states; loss = sum(y*r) + sum(hT_LD*rT_LD)",
              "dNAME: the gradient of the loss; packed_NAME: the same of packed sequences of these lengths")
    net = network(kind, layers)
    tags = [f"{layer}{d}" for layer in range(layers) for d in "fb"]
    x = rand(T, BATCH, IN).requires_grad_()
    h0 = rand(2 * layers, 1, HIDDEN, scale=0.5).requires_grad_()
    c0 = rand(2 * layers, 1, HIDDEN, scale=0.5).requires_grad_()
    r, rT = rand(T, BATCH, 2 * HIDDEN), rand(2 * layers, BATCH, HIDDEN)
    inputs = [x, h0] + ([c0] if kind == "lstm" else []) + list(net.parameters())
    out.put("x", x)
    out.put("lengths", torch.tensor(LENGTHS))
    out.put("r", r)
    for i, tag in enumerate(tags):
        wi, wh, bi, bh = net.all_weights[i]
        out.put("Wi" + tag, wi.T)
        out.put("Wh" + tag, wh.T)
        out.put("b" + tag, bi)
        if kind == "gru":
            out.put("bh" + tag, bh[2 * HIDDEN:])
        out.put("h0_" + tag, h0[i, 0])
        if kind == "lstm":
            out.put("c0_" + tag, c0[i, 0])
        out.put("rT_" + tag, rT[i])
    for prefix in "", "packed_":
        wide = [s.expand(-1, BATCH, -1).contiguous() for s in (h0, c0)]
        state = tuple(wide) if kind == "lstm" else wide[0]
        if prefix:
            packed, last = net(pack_padded_sequence(x, LENGTHS, enforce_sorted=False), state)
            y = pad_packed_sequence(packed, total_length=T)[0]
        else:
            y, last = net(x, state)
        h = last[0] if kind == "lstm" else last
        loss = (y * r).sum() + (h * rT).sum()
        grads = dict(zip(map(id, inputs), torch.autograd.grad(loss, inputs)))
        out.put(prefix + "y", y)
        out.put(prefix + "loss", loss)
        out.put(prefix + "dx", grads[id(x)])
        for i, tag in enumerate(tags):
            wi, wh, bi, bh = net.all_weights[i]
            out.put(f"{prefix}hT_{tag}", h[i])
            out.put(f"{prefix}dWi{tag}", grads[id(wi)].T)
            out.put(f"{prefix}dWh{tag}", grads[id(wh)].T)
            out.put(f"{prefix}db{tag}", grads[id(bi)])
            if kind == "gru":
                out.put(f"{prefix}dbh{tag}", grads[id(bh)][2 * HIDDEN:])
            out.put(f"{prefix}dh0_{tag}", grads[id(h0)][i, 0])
            if kind == "lstm":
                out.put(f"{prefix}dc0_{tag}", grads[id(c0)][i, 0])
    out.save()


# --- attention -----------------------------------------------------------------------------------

QUERY, MEMORY, UNITS, S = 3, 4, 5, 2


def attention(kind, lengths):
    torch.manual_seed(600 + len(kind) + 10 * len(lengths))
    name = kind + ("_lengths" if lengths else "")
    out = Out(f"attention/{name}.txt", "m: memory x batch x time, q: queries of 2 steps; weights: batch x time per query",
              "loss = sum(context*r); dNAME: its gradient; with lengths, the steps behind the end have no weight")
    memory = QUERY if kind == "dot" else MEMORY
    m, q = rand(T, BATCH, memory).requires_grad_(), rand(S, BATCH, QUERY).requires_grad_()
    shapes = {"bahdanau": dict(Wq=(UNITS, QUERY), Wm=(UNITS, MEMORY), v=(1, UNITS)), "luong": dict(W=(QUERY, MEMORY)),
              "dot": {}}[kind]
    w = {n: rand(*s, scale=0.8).requires_grad_() for n, s in shapes.items()}
    if kind == "bahdanau":
        scores = (torch.tanh((q @ w["Wq"].T).unsqueeze(1) + (m @ w["Wm"].T).unsqueeze(0)) @ w["v"].T).squeeze(-1)
    else:
        keys = m if kind == "dot" else m @ w["W"].T
        scores = torch.einsum("sbq,tbq->stb", q, keys)
    if lengths:
        behind = torch.arange(T).unsqueeze(1) >= torch.tensor(lengths).unsqueeze(0)
        scores = scores.masked_fill(behind, -torch.inf)
        out.put("lengths", torch.tensor(lengths))
    weights = torch.softmax(scores, 1)
    context = torch.einsum("stb,tbm->sbm", weights, m)
    r = rand(*context.shape)
    inputs = {"m": m, "q": q, **w}
    grads = torch.autograd.grad((context * r).sum(), list(inputs.values()))
    for n, v in inputs.items():
        out.put(n, v.T if n in w else v)
    out.put("r", r)
    for s in range(S):
        out.put(f"weights{s}", weights[s])
    out.put("context", context)
    for n, g in zip(inputs, grads):
        out.put("d" + n, g.T if n in w else g)
    out.save()


if __name__ == "__main__":
    for kind in "rnn", "lstm", "gru":
        for layers in 1, 2, 3:
            directions(kind, layers)
    for kind in "bahdanau", "luong", "dot":
        attention(kind, [])
        attention(kind, LENGTHS)
