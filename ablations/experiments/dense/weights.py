"""TrunkWeights: what the trunks of a study start from: torchvision's weights, or files by backbone and variant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ablations.errors import StudyError
from ablations.experiments.dense.trunk_factors import backbone_of, variant_of
from ablations.experiments.fields.checks import mapping_field, text_field
from ablations.experiments.fields.code import code_digests
from senet_core.backbones import find_backbone
from senet_core.errors import UserError
from senet_core.variants.text import parse_variant, variant_text
from senet_core.weights import IMAGENET, check_hub

_FORM = f"{IMAGENET}, or a file for each 'BACKBONE VARIANT', such as {{resnet50 plain: plain.pth, resnet50 se: se.pth}}"


@dataclass(frozen=True)
class TrunkWeights:
    """Where trunks start from.

    Attributes:
        everywhere: "imagenet" for torchvision's weights, in which blocks stay fresh; "" for files, or nothing.
        files: by "BACKBONE VARIANT" in canonical text: the path as given, and a digest of the content.
        home: the folder that paths are relative to.
    """

    everywhere: str = ""
    files: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    home: str = ""

    @classmethod
    def of(cls, given: object, home: str) -> TrunkWeights:
        """Return what the field `weights` of a study says.

        Raises:
            StudyError: it is of another form, or a file is not there.
        """
        if given is None:
            return cls()
        if given == IMAGENET:
            return cls(IMAGENET)
        if not isinstance(given, Mapping):
            raise StudyError(f"experiment.weights is {_FORM}, got {given!r}")
        files = {}
        for name, path in mapping_field("experiment.weights", given).items():
            path = text_field(f"experiment.weights.{name}", path)
            files[_key(name)] = (path, code_digests([path], home)[path])
        return cls("", files, home)

    @staticmethod
    def field_of(recorded: Any) -> Any:
        """Return the field of a study from what a trial records."""
        return (
            recorded if isinstance(recorded, str) else {name: told["file"] for name, told in recorded.items()}
        )

    def to_json(self) -> dict[str, Any]:
        """Return what makes trials other ones."""
        if self.everywhere:
            return {"weights": self.everywhere}
        told = {name: {"file": path, "sha256": digest} for name, (path, digest) in self.files.items()}
        return {"weights": told} if told else {}

    def file_of(self, values: Mapping[str, Any]) -> str | Path | None:
        """Return what a row's trunk starts from; None for fresh weights.

        Args:
            values: of the row's factors.

        Raises:
            UserError: there is no file for its backbone and variant, or torchvision has no weights of the backbone.
        """
        if self.everywhere:
            check_hub(backbone_of(values))
            return self.everywhere
        if not self.files:
            return None
        key = f"{backbone_of(values)} {variant_text(variant_of(values))}"
        if key not in self.files:
            raise UserError(f"experiment.weights names no file for {key!r}, but for {', '.join(self.files)}")
        return Path(self.home, self.files[key][0]).expanduser()


def _key(name: str) -> str:
    backbone, _, variant = name.partition(" ")
    if not variant:
        raise StudyError(f"experiment.weights is {_FORM}, got {name!r}")
    try:
        return f"{find_backbone(backbone).name} {variant_text(parse_variant(variant))}"
    except UserError as error:
        raise StudyError(f"experiment.weights: {error}") from error
