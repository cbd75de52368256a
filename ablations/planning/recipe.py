"""Recipe: how a network is trained, as a frozen value, and the recipes that have names."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

_LATER = ("start_size", "full_size_from")

PRECISIONS = ("fp32", "bf16")
"""In which trials are computed. A recipe may also say "auto", which is one of them before there is a trial."""


class Recipe(BaseModel):
    """How a network is trained, apart from the data and the seed.

    `warmup` and `milestones` are shares of the whole training, from 0 to 1, so that they scale with its length.

    Raises:
        pydantic.ValidationError: a field is unknown, of the wrong type or out of range.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    epochs: float | None = Field(
        default=None,
        gt=0,
        le=1_000_000,
        description="Length of the training in epochs: passes over the training images, also parts of one.",
    )
    iterations: int | None = Field(
        default=None,
        gt=0,
        le=1_000_000_000,
        description="Length of the training in steps of one batch each, instead of epochs; one of the two is needed.",
    )
    batch_size: int = Field(
        default=128,
        ge=2,
        le=1_000_000,
        description="Images per step; at most as many as there are training images.",
    )
    lr: float = Field(default=0.1, gt=0, description="Highest learning rate of the schedule.")
    momentum: float = Field(default=0.9, ge=0, lt=1, description="Momentum of SGD, a share of the last step.")
    nesterov: bool = Field(
        default=True, description="Nesterov's form of the momentum, which must then be above 0."
    )
    weight_decay: float = Field(
        default=1e-4, ge=0, description="Factor of the weights that is added to their gradient at each step."
    )
    decay_norm_and_bias: bool = Field(
        default=True, description="Whether weight decay also acts on batch norms and biases."
    )
    schedule: Literal["cosine", "linear", "step", "constant"] = Field(
        default="cosine",
        description="How the rate goes on after the warm-up: cosine and linear fall to 0 at the end, step "
        "multiplies by gamma at the milestones, constant stays.",
    )
    milestones: tuple[float, ...] = Field(
        default=(),
        description="When a step schedule multiplies by gamma: rising shares of the training, between 0 and 1.",
    )
    gamma: float = Field(
        default=0.1, gt=0, lt=1, description="What a step schedule multiplies the rate by at each milestone."
    )
    warmup: float = Field(
        default=0, ge=0, lt=1, description="Length of the warm-up, as a share of the whole training."
    )
    warmup_lr: float | None = Field(
        default=None,
        gt=0,
        description="Constant rate during warm-up; a linear rise from 0 where it is not given.",
    )
    label_smoothing: float = Field(
        default=0, ge=0, lt=1, description="Share of each label that is spread evenly over all classes."
    )
    crop: Literal["pad", "resized", "none"] = Field(
        default="pad",
        description="pad: zero-pad, crop at random; resized: random area and aspect ratio (ImageNet); none: uncropped.",
    )
    pad: int = Field(
        default=4, ge=0, le=1024, description="Pixels of zero padding on each side for crop 'pad'."
    )
    flip: bool = Field(
        default=True, description="Whether half of the images, drawn at random, are mirrored left to right."
    )
    cutout: int = Field(
        default=0,
        ge=0,
        le=16_384,
        description="Side in pixels of a square at a random place that is blanked; 0 for none.",
    )
    start_size: int | None = Field(
        default=None,
        ge=8,
        le=16_384,
        multiple_of=4,
        description="Side in pixels of the images that the training begins with; needs full_size_from.",
    )
    full_size_from: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="From when images have their full size, as a share of the training; needs start_size.",
    )
    precision: Literal["fp32", "bf16", "auto"] = Field(
        default="auto",
        description="auto: that in which the study was begun; for a new one bf16 where this machine computes in it, "
        "fp32 otherwise. It is a part of what each trial is.",
    )

    @model_validator(mode="before")
    @classmethod
    def _numbers_from_yaml(cls, values: object) -> object:
        """Accept what YAML writes: a list for a tuple, a whole number where a fraction may stand."""
        if isinstance(values, dict) and isinstance(values.get("milestones"), list):
            values = {**values, "milestones": tuple(values["milestones"])}
        return values

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        if (self.epochs is None) == (self.iterations is None):
            raise ValueError("give the length of the training by epochs or by iterations, one of the two")
        if (self.schedule == "step") != bool(self.milestones):
            raise ValueError("milestones belong to schedule 'step', which needs at least one")
        if any(not 0 < m < 1 for m in self.milestones) or list(self.milestones) != sorted(
            set(self.milestones)
        ):
            raise ValueError("milestones are shares of the training: they must rise and lie between 0 and 1")
        if self.warmup_lr is not None and self.warmup == 0:
            raise ValueError("warmup_lr needs a warmup")
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov needs a momentum above 0")
        if (self.start_size is None) != (self.full_size_from is None):
            raise ValueError("start_size and full_size_from belong together: give both or neither")
        return self

    def to_json(self) -> dict[str, Any]:
        """Return the canonical form, ready for `json.dumps`.

        Fields that were added later are in it only where they are not None, so that older trials keep their keys.
        """
        fields = self.model_dump(mode="json")
        return {name: value for name, value in fields.items() if name not in _LATER or value is not None}

    def in_precision(self, precision: str) -> Recipe:
        """Return the recipe with "fp32" or "bf16" in the place of "auto"."""
        if self.precision != "auto":
            return self
        return type(self).model_validate({**self.model_dump(), "precision": precision})

    def steps(self, steps_per_epoch: int) -> int:
        """Return the number of steps of the whole training, at least 1."""
        return max(1, self.iterations or round((self.epochs or 0) * steps_per_epoch))

    @property
    def effective(self) -> Recipe:
        """The recipe with default values in fields that have no effect with its other fields.

        Recipes that are equal in this form train a network in the same way.
        """
        idle = []
        if self.crop != "pad":
            idle.append("pad")
        if self.schedule != "step":
            idle.append("gamma")
        if self.weight_decay == 0:
            idle.append("decay_norm_and_bias")
        return self.model_copy(update={name: type(self).model_fields[name].default for name in idle})


RECIPES: dict[str, Recipe] = {
    "cifar-quick": Recipe(
        epochs=10,
        batch_size=128,
        lr=0.3,
        weight_decay=5e-4,
        decay_norm_and_bias=False,
        schedule="linear",
        warmup=0.2,
    ),
    "cifar-paper": Recipe(
        iterations=64_000,
        batch_size=128,
        lr=0.1,
        nesterov=False,
        weight_decay=1e-4,
        schedule="step",
        milestones=(32 / 64, 48 / 64),
        warmup=400 / 64_000,
        warmup_lr=0.01,
        precision="fp32",
    ),
    "imagenet-ablation": Recipe(
        epochs=270,
        batch_size=256,
        lr=0.1,
        nesterov=False,
        weight_decay=1e-4,
        schedule="step",
        milestones=(125 / 270, 200 / 270, 250 / 270),
        label_smoothing=0.1,
        crop="resized",
        pad=0,
    ),
}
"""The named recipes that studies may use."""

RECIPE_SOURCES = {
    "cifar-quick": "for processors without a GPU: one cycle to a high rate and back to zero, decay on weights only; "
    "the study `quick-recipe` asks whether it is well chosen.",
    "cifar-paper": "He et al. 2015, arXiv:1512.03385, section 4.2, with the warm-up of He et al. 2016, "
    "arXiv:1603.05027.",
    "imagenet-ablation": "arXiv:1709.01507, section 6 with the fixed schedule of footnote 2; batch, smoothing, "
    "momentum and decay are not printed there: the authors' released code and the cited papers have these values.",
}
"""Where each named recipe comes from."""
