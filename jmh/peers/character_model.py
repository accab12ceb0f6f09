"""The character model in PyTorch: held-out bits per character, and characters per second.

Run:   python3 character_model.py --src-zip JDK/lib/src.zip --epochs 3       (needs torch)
       python3 character_model.py --src-zip JDK/lib/src.zip --steps-limit 200   (speed only)

Text: java.base/java/util/*.java of a JDK's src.zip (no subfolders), joined in the order of their
names, or any file. The last 5 % is held out. One LSTM-256 on one-hot input and a linear head;
32 contiguous streams, chunks of 64, the state carried and detached, zero at each pass; Adam 0.002,
gradient norm clipped at 5, mean cross-entropy. The held-out text is read as one stream.
"""
import argparse
import math
import statistics
import time
import zipfile

import torch
import torch.nn.functional as F

HIDDEN, STREAMS, CHUNK, EVAL_CHUNK = 256, 32, 64, 1024


def read(args):
    if args.text:
        with open(args.text, "rb") as f:
            return f.read().decode(args.encoding)
    folder = "java.base/java/util/"
    with zipfile.ZipFile(args.src_zip) as z:
        names = sorted(n for n in z.namelist()
                       if n.startswith(folder) and n.endswith(".java") and "/" not in n[len(folder):])
        print(f"{len(names)} files")
        return "".join(z.read(n).decode(args.encoding) for n in names)


class Model(torch.nn.Module):
    def __init__(self, symbols):
        super().__init__()
        self.symbols = symbols
        self.lstm = torch.nn.LSTM(symbols, HIDDEN)
        self.head = torch.nn.Linear(HIDDEN, symbols)

    def forward(self, chars, state):
        y, state = self.lstm(F.one_hot(chars, self.symbols).float(), state)
        return self.head(y), state


def loss_of(model, x, target, state):
    logits, state = model(x, state)
    return F.cross_entropy(logits.flatten(0, 1), target.flatten()), state


def held_out_bits(model, text):
    total, state = 0.0, None
    with torch.no_grad():
        for at in range(0, len(text) - 1, EVAL_CHUNK):
            target = text[at + 1: at + 1 + EVAL_CHUNK]
            x = text[at: at + len(target)]
            loss, state = loss_of(model, x[:, None], target[:, None], state)
            total += loss.item() * len(target)
    return total / (len(text) - 1) / math.log(2)


def main():
    a = argparse.ArgumentParser()
    source = a.add_mutually_exclusive_group(required=True)
    source.add_argument("--src-zip", help="a JDK's lib/src.zip")
    source.add_argument("--text", help="a file")
    a.add_argument("--encoding", default="utf-8")
    a.add_argument("--epochs", type=int, default=3)
    a.add_argument("--steps-limit", type=int, default=0, help="stop after N chunks, without evaluation")
    a.add_argument("--evaluate-every", type=int, default=0, help="held-out bits after every N chunks too")
    a.add_argument("--threads", type=int, default=2)
    a.add_argument("--seed", type=int, default=0)
    args = a.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)

    text = read(args)
    vocabulary = sorted(set(text))
    index = {c: i for i, c in enumerate(vocabulary)}
    codes = torch.tensor([index[c] for c in text])
    n = math.floor(len(text) * 0.95)
    held_out = codes[n:]
    length = n // STREAMS
    streams = codes[: length * STREAMS].view(STREAMS, length).t().contiguous()  # time x streams
    model = Model(len(vocabulary))
    parameters = sum(p.numel() for p in model.parameters())
    chunks = (length - 1) // CHUNK
    print(f"torch {torch.__version__}, {args.threads} threads, seed {args.seed}; {len(text)} characters, "
          f"{len(vocabulary)} distinct, {parameters} parameters, {chunks} chunks a pass", flush=True)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.002)

    steps, seconds, spent = 0, [], 0.0

    def speed():
        rate = STREAMS * CHUNK
        return (f"{rate / statistics.median(seconds):.0f} characters/s median, "
                f"{rate / statistics.mean(seconds):.0f} mean")

    for epoch in range(1, args.epochs + 1):
        state, total = None, 0.0
        for k in range(chunks):
            began = time.perf_counter()
            at = k * CHUNK
            optimiser.zero_grad()
            loss, state = loss_of(model, streams[at: at + CHUNK], streams[at + 1: at + 1 + CHUNK], state)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimiser.step()
            state = tuple(s.detach() for s in state)
            total += loss.item()
            took = time.perf_counter() - began
            seconds.append(took)
            spent += took
            steps += 1
            if args.steps_limit and steps == args.steps_limit:
                print(f"{steps} chunks, train loss {total / (k + 1):.4f}: {speed()}")
                return
            if args.evaluate_every and steps % args.evaluate_every == 0 and k + 1 < chunks:
                print(f"chunk {steps} ({steps / chunks:.2f} passes, {spent:.0f} s of training): "
                      f"held-out {held_out_bits(model, held_out):.4f} bits/char", flush=True)
        print(f"pass {epoch}: train loss {total / chunks:.4f} ({total / chunks / math.log(2):.4f} bits), "
              f"{speed()}, {spent:.0f} s of training; "
              f"held-out {held_out_bits(model, held_out):.4f} bits/char", flush=True)


main()
