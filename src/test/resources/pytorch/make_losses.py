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
    for i, g in enumerate(torch.autograd.grad(loss.sum(), inputs)):
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
            grads(out, f"{name}_{reduction}", F.cross_entropy(flat, classes_of, reduction=reduction, **settings), logits)
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


if __name__ == "__main__":
    loss_settings()
