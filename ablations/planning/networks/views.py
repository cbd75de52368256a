"""Views: of which crops of a test image a network's answer is made, after the training and whatever it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from senet_core.errors import UserError

CROPS = (1, 5, 10, 144)
"""How many crops there may be."""

SCALES = (8, 9, 10, 11)
"""Sevenths of a crop's side to which the shorter side is resized, for 144 crops: 256, 288, 320 and 352 for 224."""


@dataclass(frozen=True)
class Views:
    """What a network sees of each test image; the mean of its probabilities over the views is its answer.

    Attributes:
        crops: 1, the centre; 5, the four corners and the centre; 10, these and their mirror images; 144: at each of
            four scales the left, central and right square (the upper, central and lower one of an upright image), of
            each square the five crops and the square itself made as small as a crop, and the mirror images of all.
        size: side of a crop in pixels; that on which the network was tested in the training if None.
        short: the shorter side to which the image is resized before, in pixels; None for `size` x 8/7 where the
            original image is at hand, and else for `size`, and 5 or 10 crops are of the image with a border of zeros.
        flip: whether the mirror image of the one crop is seen, too.

    Raises:
        UserError: a number is out of range, or two fields do not go together.

    Source: 5 and 10: Krizhevsky et al. 2012, section 4.1, of 256 x 256 pixels; 144: Szegedy et al. 2015,
    arXiv:1409.4842, section 7. The other scales for other sizes than 224 are ours, in the same proportion.
    """

    crops: int = 1
    size: int | None = None
    short: int | None = None
    flip: bool = False

    def __post_init__(self) -> None:
        if self.crops not in CROPS:
            raise UserError(f"`crops` must be one of {', '.join(map(str, CROPS))}, got {self.crops!r}")
        for field, value in (("size", self.size), ("short", self.short)):
            if value is not None and not 8 <= value <= 16_384:
                raise UserError(f"`{field}` must be between 8 and 16,384 pixels, got {value!r}")
        if self.flip and self.crops != 1:
            instead = "that is `crops=10`" if self.crops == 5 else "these have their mirror images already"
            raise UserError(f"`flip` goes with one crop, not with {self.crops}: {instead}")
        if self.short is not None and self.crops == 144:
            raise UserError("`short` does not go with 144 crops, which have four scales of their own")
        if self.short is not None and self.size is not None and self.short < self.size:
            raise UserError(f"`short` must be at least `size`, got {self.short} and {self.size}")

    @property
    def mirrored(self) -> bool:
        """Whether mirror images are seen."""
        return self.flip or self.crops in (10, 144)

    @property
    def as_trained(self) -> bool:
        """Whether the view is that on which networks are tested when their training ends."""
        return self == ONE_CROP

    def to_json(self) -> dict[str, Any]:
        """Return the canonical form: what is None or False is left out."""
        optional = {"size": self.size, "short": self.short, "flip": self.flip or None}
        return {"crops": self.crops, **{name: value for name, value in optional.items() if value is not None}}

    @classmethod
    def from_json(cls, value: Any) -> Views:
        """Return the views of a canonical form.

        Raises:
            ValueError, TypeError: it is none.
        """
        found = cls(**value)
        if found.to_json() != value:
            raise ValueError("it is not written as views are")
        return found

    def __str__(self) -> str:
        size = "" if self.size is None else f" of {self.size} px"
        short = "" if self.short is None else f" at a shorter side of {self.short} px"
        flip = " and its mirror image" if self.flip else ""
        return f"{self.crops} {'crop' if self.crops == 1 else 'crops'}{size}{short}{flip}"


ONE_CROP = Views()
"""The view on which networks are tested when their training ends."""
