"""Without the folder senet_core/kernels, networks are built and trained as before, to the last bit of PyTorch's way."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TRAINING = """
import hashlib

import torch
from torchvision.models import resnet18

from senet_core import SEVariant, build_model, insert_se


def step(model):
    model = model.to(memory_format=torch.channels_last)
    images = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    model(images.to(memory_format=torch.channels_last)).square().mean().backward()
    optimiser.step()
    return model


torch.manual_seed(0)
models = step(build_model("resnet8", SEVariant(), num_classes=4, seed=0)), step(insert_se(resnet18(), SEVariant()))
digest = hashlib.sha256()
for value in (value for model in models for value in model.state_dict().values()):
    digest.update(value.contiguous().numpy().tobytes())
print(digest.hexdigest())
"""
WITHOUT = """
from ablations.running.machine.kernels import ALL_KERNELS, NO_KERNELS

device = torch.device("cpu")
assert set(ALL_KERNELS.missing(device).values()) == {"there is no senet_core.kernels"}
assert ALL_KERNELS.available_on(device, "fp32") == NO_KERNELS
with NO_KERNELS.fused_passes():
    NO_KERNELS.install(models[0])
    NO_KERNELS.take_out_of(models[0])
"""
CONTRACTS = """
from senet_core.contracts import check_entry

if __name__ == "__main__":
    for slot, name in (("squeeze", "avg"), ("integration", "standard"), ("backbone", "resnet20")):
        for result in check_entry(slot, name):
            assert result.outcome == "kept" or "the paper's" in result.reason, result
"""


@pytest.fixture
def _removed(tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / "senet_core",
        tmp_path / "senet_core",
        ignore=lambda folder, names: {"kernels", "__pycache__"} if Path(folder).name == "senet_core" else (),
    )


def run(folder: Path, code: str) -> str:
    """Run code with the packages of a folder, and not with those that are installed for editing."""
    (folder / "script.py").write_text(code, encoding="utf-8")
    paths = (str(folder), str(ROOT), sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
    done = subprocess.run(
        [sys.executable, "-S", "script.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.usefixtures("_removed")
def test_networks_train_to_the_same_bits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    without = run(tmp_path, f"import torch\ntorch.set_num_threads(1)\n{TRAINING}\n{WITHOUT}")
    exec(TRAINING, {"__name__": "with_the_folder"})
    assert without == capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.usefixtures("_removed")
def test_contracts_are_kept(tmp_path: Path) -> None:
    run(tmp_path, CONTRACTS)
