"""Recipe: how a network is trained, as a frozen value."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ablations.planning.networks.recipes import rules
from ablations.planning.networks.recipes.losses import FOCAL_GAMMA, LossName
from ablations.planning.networks.recipes.optimizers import OptimizerName
from ablations.planning.networks.recipes.weights import check_weights, nameless

_LATER = (
    "optimizer",
    "betas",
    "eps",
    "clip_norm",
    "restarts",
    "patience",
    "cuts",
    "watched",
    "loss",
    "focal_gamma",
    "randaugment",
    "magnitude",
    "erasing",
    "mixup",
    "cutmix",
    "dropout",
    "stochastic_depth",
    "ema",
    "weights",
    "freeze",
    "start_size",
    "full_size_from",
)
"""Fields that were added after trials had been recorded: their defaults train as the code did before."""

WeightsName = Annotated[str, AfterValidator(check_weights)]

_TUPLES = ("betas", "milestones", "freeze")

PRECISIONS = ("fp32", "bf16", "tf32")
"""In which trials are computed. A recipe may also say "auto", which is one of the first two before there is a trial."""


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
    weights: WeightsName | None = Field(
        default=None,
        description="What the training begins with: a file of a state dict (.pth, .pt, .safetensors), relative to the "
        "study's file, or torchvision, its own for ImageNet; drawn at random if not given. A classifier for another "
        "number of classes is new, and so are SE blocks that the file lacks.",
    )
    freeze: tuple[int, ...] = Field(
        default=(),
        description="Stages that stay as they are in weights, batch norms too, with what stands before them; in the "
        "backbone's numbers.",
    )
    optimizer: OptimizerName = Field(
        default="sgd",
        description="What turns gradients into steps: a name of `ablate list optimizer`; each wants another lr.",
    )
    lr: float = Field(default=0.1, gt=0, description="Highest learning rate of the schedule.")
    momentum: float = Field(
        default=0.9, ge=0, lt=1, description="Momentum of SGD and Muon, a share of the last step."
    )
    nesterov: bool = Field(
        default=True, description="Nesterov's form of the momentum, which must then be above 0."
    )
    betas: tuple[float, ...] | None = Field(
        default=None,
        description="Shares that AdamW, Lion, and Muon in what is no matrix, keep of their averages of the gradient "
        "and of its square; the optimiser's own if not given.",
    )
    eps: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="What AdamW, and Muon in what is no matrix, adds to the denominator; the optimiser's own if not "
        "given.",
    )
    weight_decay: float = Field(
        default=1e-4,
        ge=0,
        description="Factor of the weights that SGD adds to their gradient at each step; by which, times the rate, the "
        "other optimisers shrink them.",
    )
    decay_norm_and_bias: bool = Field(
        default=True, description="Whether weight decay also acts on batch norms and biases."
    )
    clip_norm: float = Field(
        default=0,
        ge=0,
        description="Longest gradient, over all weights; longer ones are scaled to it; 0 for any.",
    )
    schedule: Literal["cosine", "linear", "step", "plateau", "constant"] = Field(
        default="cosine",
        description="How the rate goes on after the warm-up: cosine and linear fall to 0 at the end, step "
        "multiplies by gamma at the milestones, plateau where the loss on watched images falls no more, constant "
        "stays.",
    )
    milestones: tuple[float, ...] = Field(
        default=(),
        description="When a step schedule multiplies by gamma: rising shares of the training, between 0 and 1.",
    )
    gamma: float = Field(
        default=0.1, gt=0, lt=1, description="What a step or plateau schedule multiplies the rate by."
    )
    patience: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description="Epochs in a row without a lower loss on the watched images, after which a plateau schedule "
        "multiplies by gamma.",
    )
    cuts: int | None = Field(
        default=None, ge=1, le=100, description="How often a plateau schedule multiplies by gamma at most."
    )
    watched: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Share of the training images, balanced over classes, that is not trained on: after each epoch "
        "the error on them is recorded (validation curves), and a plateau schedule watches their loss.",
    )
    restarts: int = Field(
        default=0,
        ge=0,
        le=10_000,
        description="How often a cosine schedule begins anew from the highest rate, in equally long cycles.",
    )
    warmup: float = Field(
        default=0, ge=0, lt=1, description="Length of the warm-up, as a share of the whole training."
    )
    warmup_lr: float | None = Field(
        default=None,
        gt=0,
        description="Constant rate during warm-up; a linear rise from 0 where it is not given.",
    )
    loss: LossName = Field(
        default="cross_entropy", description="What is made small: a name of `ablate list loss`."
    )
    focal_gamma: float | None = Field(
        default=None,
        gt=0,
        le=100,
        description=f"How much less the focal loss counts what is known well; {FOCAL_GAMMA:g} if not given.",
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
    randaugment: int = Field(
        default=0,
        ge=0,
        le=100,
        description="Random operations on each image, one after the other; 0 for none.",
    )
    magnitude: int = Field(default=9, ge=0, le=30, description="Strength of RandAugment's operations.")
    erasing: float = Field(
        default=0, ge=0, le=1, description="Probability with which a rectangle of an image is blanked."
    )
    mixup: float = Field(
        default=0,
        ge=0,
        le=1000,
        description="Strength of mixup, the alpha of its beta distribution: images and labels of a batch are blended; "
        "0 for none. Beside cutmix, a coin says which, batch by batch.",
    )
    cutmix: float = Field(
        default=0,
        ge=0,
        le=1000,
        description="Strength of CutMix, the alpha of its beta distribution: a rectangle comes from another image of "
        "the batch, and labels are mixed by area; 0 for none.",
    )
    dropout: float = Field(
        default=0,
        ge=0,
        lt=1,
        description="Share of the features before the classifier that is left out at random in training.",
    )
    stochastic_depth: float = Field(
        default=0,
        ge=0,
        lt=1,
        description="Probability, for an image, that the last residual branch is left out in training; it rises from "
        "the first one in equal steps.",
    )
    ema: float = Field(
        default=0,
        ge=0,
        lt=1,
        description="Share that an average of the weights keeps at each step; the average is what is tested; 0 for "
        "none.",
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
    precision: Literal["fp32", "bf16", "tf32", "auto"] = Field(
        default="auto",
        description="auto: that in which the study was begun; for a new one bf16 where this machine computes in it, "
        "fp32 otherwise. tf32 is fp32 with products rounded to 10 bits, on NVIDIA's GPUs from Ampere on; fp32 is "
        "fp32 there, too. It is a part of what each trial is.",
    )

    @model_validator(mode="before")
    @classmethod
    def _numbers_from_yaml(cls, values: object) -> object:
        """Accept what YAML writes: a list for a tuple, a whole number where a fraction may stand."""
        if not isinstance(values, dict):
            return values
        lists = {name: tuple(values[name]) for name in _TUPLES if isinstance(values.get(name), list)}
        return {**values, **lists}

    @model_validator(mode="after")
    def _consistent(self) -> Recipe:
        rules.check(self)
        return self

    def to_json(self) -> dict[str, Any]:
        """Return the canonical form, ready for `json.dumps`.

        Fields that were added later are in it only where they are not the default: older trials keep their keys.
        """
        fields = type(self).model_fields
        left_out = {name for name in _LATER if getattr(self, name) == fields[name].default}
        form = self.model_dump(mode="json", exclude=left_out)
        return form if self.weights is None else {**form, "weights": nameless(self.weights)}

    def in_precision(self, precision: str) -> Recipe:
        """Return the recipe with one of `PRECISIONS` in the place of "auto"."""
        if self.precision != "auto":
            return self
        return type(self).model_validate({**self.model_dump(), "precision": precision})

    def trained_on(self, images: int) -> int:
        """Return how many of so many training images are trained on: those that are not watched."""
        return images if self.watched is None else images - max(1, round(self.watched * images))

    def steps(self, steps_per_epoch: int) -> int:
        """Return the number of steps of the whole training, at least 1."""
        return max(1, self.iterations or round((self.epochs or 0) * steps_per_epoch))

    @property
    def effective(self) -> Recipe:
        """The recipe with default values in fields that have no effect with its other fields.

        Recipes that are equal in this form train a network in the same way.
        """
        usual = {name: type(self).model_fields[name].default for name in rules.idle(self)}
        weights = None if self.weights is None else nameless(self.weights)
        return self.model_copy(update={**usual, "weights": weights})
