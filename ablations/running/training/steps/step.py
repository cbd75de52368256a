"""One step of the optimiser, from a batch to changed weights; nothing in it waits for the device."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ablations.planning.networks.recipe import Recipe
from ablations.running.machine.kernels import Kernels
from ablations.running.training.losses import loss_of
from ablations.running.training.optimizers import Optimiser
from ablations.running.training.processes.group import ALONE, Group


class Step:
    """One step of the optimiser.

    Args:
        model: on the device, in channels_last.
        recipe: how to train.
        optimiser: of the model.
        device: where to compute.
        precision: one of `PRECISIONS` of recipes.
        kernels: which the network trains with.
        rate: the tensor in which the optimiser finds its learning rate; None where it takes a number.
        group: the processes that take the step together, each on its share of the batch.

    Attributes:
        loss_sum: of the steps since it was set to zero, on the device; of several processes, this one's part of it.
        errors: images of them that were not recognised, likewise.
    """

    def __init__(
        self,
        model: nn.Module,
        recipe: Recipe,
        optimiser: Optimiser,
        device: torch.device,
        precision: str,
        kernels: Kernels,
        rate: Tensor | None = None,
        group: Group = ALONE,
    ) -> None:
        self._group, self._forward = group, group.together(model)
        self.model, self.recipe, self.optimiser = model, recipe, optimiser
        self._device, self._precision, self._kernels, self._rate = device, precision, kernels, rate
        self.loss_sum = torch.zeros((), device=device)  # sums stay on the device until an epoch ends
        self.errors = torch.zeros((), device=device)

    def __call__(self, images: Tensor, targets: Tensor, rate: float) -> None:
        """Take a step.

        Args:
            images: normalised, (B, C, H, W) in channels_last.
            targets: labels (B,), or the share of each class, (B, classes).
            rate: the learning rate.
        """
        self.set_rate(rate)
        self.take(images, targets)

    def set_rate(self, rate: float) -> None:
        """Set the learning rate of the next steps."""
        if self._rate is not None:
            self._rate.fill_(rate)
        for group in self.optimiser.param_groups:  # also after it has taken over a checkpoint's
            group["lr"] = rate if self._rate is None else self._rate

    def take(self, images: Tensor, targets: Tensor) -> None:
        """Take a step with the rate that was set; all that changes between two steps is in tensors."""
        bf16 = torch.autocast(self._device.type, torch.bfloat16, enabled=self._precision == "bf16")
        with bf16, self._kernels.fused_passes(), self._group.batch_norms():
            logits = self._forward(images)
        loss = loss_of(logits.float(), targets, self.recipe)
        if self._group.size > 1:  # the mean over this process's images: their part of the mean over the batch
            loss = loss * self._group.part(self.recipe.batch_size)
        self.optimiser.zero_grad(set_to_none=True)
        self._backward(loss)
        if self.recipe.clip_norm > 0:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip_norm)
        self.optimiser.step()
        self.loss_sum += loss.detach()
        labels = targets if targets.ndim == 1 else targets.argmax(1)  # of a mixed image, the larger part's
        self.errors += (logits.detach().argmax(1) != labels).sum()

    def _backward(self, loss: Tensor) -> None:
        """Compute the gradients of the whole batch's loss, of which this process has a part."""
        # those of all processes are averaged, and are to be added up
        whole = loss if self._group.size == 1 else loss * self._group.size
        whole.backward()  # type: ignore[no-untyped-call]
