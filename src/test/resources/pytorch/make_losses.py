"""Writes the reference numbers of losses with settings, convolution and batch normalisation, beside this file.

Run:   python3 make_losses.py          (needs the package torch; CPU is enough)
Made with torch 2.13.0, in float64; make.py describes the format.
"""
import torch
import torch.nn.functional as F

from make import Out, rand


def grads(out, name, loss, *inputs):
    """A loss as `name`, and the gradient of its values' sum on each input as `d0_name`, `d1_name`."""
    out.put(name, loss)
    for i, g in enumerate(torch.autograd.grad(loss.sum(), inputs, retain_graph=True)):
        out.put(f"d{i}_{name}", g)


# --- losses ------------------------------------------------------------------------------------

def loss_settings():
    torch.manual_seed(300)
    out = Out("loss_settings.txt", "logits: classes x batch x time; t: one class per column, -100 is ignored",
              "w: one weight per class; NAME_REDUCTION: the loss, d0_NAME_REDUCTION the gradient of its sum on logits",
              "a, b: prediction and target; scores, p: scores and probabilities; positive: one weight per row")
    time, batch, classes = 3, 4, 5
    logits = rand(time, batch, classes, scale=2.0).requires_grad_()
    t = torch.tensor([[2, -100, 0, 4], [1, 1, -100, 3], [-100, 0, 2, 4]])
    w = torch.tensor([0.5, 2.0, 1.0, 0.0, 0.25])
    out.put("logits", logits)
    out.put("t", t)
    out.put("w", w)
    flat, classes_of = logits.reshape(-1, classes), t.reshape(-1)
    for reduction in "mean", "sum", "none":
        for name, settings in {
            "plain": dict(),
            "weighted": dict(weight=w),
            "smooth": dict(label_smoothing=0.1),
            "both": dict(weight=w, label_smoothing=0.25),
        }.items():
            loss = F.cross_entropy(flat, classes_of, reduction=reduction, **settings)
            grads(out, f"{name}_{reduction}", loss, logits)
    a, b = rand(batch, 6, scale=2.0).requires_grad_(), rand(batch, 6)
    scores, p = rand(batch, 6, scale=3.0).requires_grad_(), torch.round(torch.rand(batch, 6) * 256) / 256
    positive = torch.tensor([0.5, 1, 2, 3, 4, 8])
    for name, v in {"a": a, "b": b, "scores": scores, "p": p, "positive": positive}.items():
        out.put(name, v)
    for reduction in "mean", "sum", "none":
        grads(out, f"l1_{reduction}", F.l1_loss(a, b, reduction=reduction), a)
        grads(out, f"huber_{reduction}", F.huber_loss(a, b, reduction=reduction, delta=1.5), a)
        grads(out, f"smooth_l1_{reduction}", F.smooth_l1_loss(a, b, reduction=reduction, beta=0.5), a)
        bce = F.binary_cross_entropy_with_logits
        grads(out, f"bce_{reduction}", bce(scores, p, reduction=reduction), scores)
        grads(out, f"bce_positive_{reduction}", bce(scores, p, reduction=reduction, pos_weight=positive), scores)
    out.save()


def mixture():
    torch.manual_seed(310)
    out = Out("mixture.txt", "scores: K components x batch x time, means and s (log deviations): K*D, target: D",
              "KIND_REDUCTION: the negative log-likelihood, d0 .. d3 its gradients on scores, means, s, target")
    normal = torch.distributions
    for kind, k, d in ("one", 3, 1), ("three", 2, 3):
        shape = 2, 3
        scores, means, s = rand(*shape, k), rand(*shape, k * d), rand(*shape, k * d, scale=0.5)
        target = rand(*shape, d, scale=1.5)
        inputs = [v.requires_grad_() for v in (scores, means, s, target)]
        for name, v in zip(("scores", "means", "s", "target"), inputs):
            out.put(f"{kind}_{name}", v)
        parts = normal.Independent(normal.Normal(means.view(*shape, k, d), s.exp().view(*shape, k, d)), 1)
        loss = -normal.MixtureSameFamily(normal.Categorical(logits=scores), parts).log_prob(target).unsqueeze(-1)
        grads(out, f"{kind}_mean", loss.mean(), *inputs)
        grads(out, f"{kind}_sum", loss.sum(), *inputs)
        grads(out, f"{kind}_none", loss, *inputs)
    out.save()


# --- CTC ---------------------------------------------------------------------------------------

class JavaRandom:
    """java.util.Random.nextInt(bound), so that the test draws the inputs again and no file holds them."""

    def __init__(self, seed):
        self.state = (seed ^ 0x5DEECE66D) % 2**48

    def below(self, bound):
        while True:
            self.state = (self.state * 0x5DEECE66D + 0xB) % 2**48
            bits = self.state >> 17
            if bound & (bound - 1) == 0:
                return (bound * bits) >> 31
            if bits - bits % bound + bound - 1 < 2**31:
                return bits % bound


def ctc():
    out = Out("ctc.txt", "c0 .. c199: configurations that java.util.Random of seed 0 .. 199 draws, see CtcLossTest",
              "cN: one loss per sequence, -1 where it is infinite; mN: the mean with zero_infinity;",
              "gN: products of its gradient on the scores with three random directions")
    for seed in range(200):
        r = JavaRandom(seed)
        classes, batch, time = 2 + r.below(5), 1 + r.below(4), 1 + r.below(12)
        blank = r.below(classes)
        lengths, targets = [], []
        for _ in range(batch):
            lengths.append(1 + r.below(time))
            drawn = [r.below(classes - 1) for _ in range(r.below(min(6, lengths[-1] + 1)))]
            targets.append([c + 1 if c >= blank else c for c in drawn])
        values = [(r.below(2049) - 1024) / 256 for _ in range(time * batch * classes)]
        directions = [[(r.below(513) - 256) / 256 for _ in values] for _ in range(3)]
        x = torch.tensor(values).view(time, batch, classes).requires_grad_()
        flat = torch.tensor([c for target in targets for c in target], dtype=torch.long)
        args = flat, torch.tensor(lengths), torch.tensor([len(t) for t in targets])
        losses = F.ctc_loss(F.log_softmax(x, 2), *args, blank=blank, reduction="none")
        out.put(f"c{seed}", torch.where(losses.isinf(), -1.0, losses))
        mean = F.ctc_loss(F.log_softmax(x, 2), *args, blank=blank, zero_infinity=True)
        out.put(f"m{seed}", mean)
        g = torch.autograd.grad(mean, x)[0].flatten()
        out.put(f"g{seed}", torch.tensor(directions) @ g)
    out.save()


def ignored():
    out = Out("ignored.txt", "l0 .. l199: configurations that java.util.Random of seed 0 .. 199 draws, see CrossEntropyLossTest",
              "lN: the loss, or the losses; gN: products of the gradient of their sum on the scores with two random directions")
    for seed in range(200):
        r = JavaRandom(seed)
        classes, batch, time = 2 + r.below(6), 1 + r.below(4), 1 + r.below(5)
        no = r.below(classes) if r.below(2) else -100
        reduction = ["mean", "sum", "none"][r.below(3)]
        smoothing = r.below(3) / 8
        weights = [(1 + r.below(512)) / 256 for _ in range(classes)] if r.below(2) else None
        columns = batch * time
        targets = [r.below(classes) if r.below(4) else no for _ in range(columns)]
        targets[r.below(columns)] = 1 if no == 0 else 0
        values = [(r.below(2049) - 1024) / 256 for _ in range(columns * classes)]
        directions = [[(r.below(513) - 256) / 256 for _ in values] for _ in range(2)]
        x = torch.tensor(values).view(columns, classes).requires_grad_()
        loss = F.cross_entropy(x, torch.tensor(targets), weight=None if weights is None else torch.tensor(weights),
                               ignore_index=no, reduction=reduction, label_smoothing=smoothing)
        out.put(f"l{seed}", loss)
        g = torch.autograd.grad(loss.sum(), x)[0].flatten()
        out.put(f"g{seed}", torch.tensor(directions) @ g)
    out.save()


# --- layers ------------------------------------------------------------------------------------

def conv1d():
    torch.manual_seed(320)
    out = Out("conv1d.txt", "settingsN: groups, stride, padding, dilation; wN: kernel x in/groups x out",
              "yN = conv1d(xN, wN, bN); dxN, dwN, dbN for dyN")
    for n, (inputs, outputs, kernel, *settings) in enumerate([
            (3, 4, 3, 1, 1, 0, 1), (3, 2, 4, 1, 2, 3, 1), (2, 3, 3, 1, 1, 4, 2), (4, 6, 2, 2, 1, 1, 3),
            (4, 4, 3, 4, 3, 2, 1), (4, 2, 3, 2, 2, 0, 2)]):
        groups, stride, padding, dilation = settings
        x = rand(7, 2, inputs).requires_grad_()
        w, b = rand(outputs, inputs // groups, kernel).requires_grad_(), rand(outputs).requires_grad_()
        y = F.conv1d(x.permute(1, 2, 0), w, b, stride, padding, dilation, groups).permute(2, 0, 1)
        dy = rand(*y.shape)
        out.put(f"settings{n}", torch.tensor(settings))
        for name, t in {"x": x, "w": w, "b": b, "dy": dy, "y": y}.items():
            out.put(f"{name}{n}", t)
        for name, t in zip(("dx", "dw", "db"), torch.autograd.grad(y, (x, w, b), dy)):
            out.put(f"{name}{n}", t)
    out.save()


def batch_norm():
    torch.manual_seed(330)
    out = Out("batch_norm.txt", "two training steps with epsilon 1e-3 and momentum 0.25: y, dx, dgain, dbias for dy,",
              "mean and variance as they run after each; inference: of x0 with the last of these")
    layer = torch.nn.BatchNorm1d(3, eps=1e-3, momentum=0.25)
    layer.weight.data, layer.bias.data = rand(3), rand(3)
    out.put("gain", layer.weight)
    out.put("bias", layer.bias)
    x = [rand(4, 2, 3, scale=2.0).requires_grad_() for _ in range(2)]
    for n in range(2):
        dy = rand(4, 2, 3)
        y = layer(x[n].reshape(-1, 3)).reshape(4, 2, 3)
        for name, t in {"x": x[n], "dy": dy, "y": y, "mean": layer.running_mean, "variance": layer.running_var}.items():
            out.put(f"{name}{n}", t)
        for name, t in zip(("dx", "dgain", "dbias"), torch.autograd.grad(y, (x[n], layer.weight, layer.bias), dy)):
            out.put(f"{name}{n}", t)
    layer.eval()
    out.put("inference", layer(x[0].reshape(-1, 3)).reshape(4, 2, 3))
    out.save()


if __name__ == "__main__":
    loss_settings()
    mixture()
    ctc()
    ignored()
    conv1d()
    batch_norm()
