"""Plug-ins by decorator and by file; what is broken is said in a line and leaves nothing."""

from __future__ import annotations

import inspect
import os
import pickle
import sys
from pathlib import Path

import pytest
import torch

from senet_core import EXCITATIONS, SQUEEZES, SEVariant, UserError, build_model, load_plugin_file
from senet_core.blocks.slots import FORMS
from senet_core.plugins import registries

pytestmark = pytest.mark.usefixtures("own_registries")

POWER = """
from senet_core import SQUEEZES

@SQUEEZES.register("{name}", source="ours: a test")
def squeeze(x):
    return x.pow(2).mean(dim=(2, 3)) * {factor}
"""


TEACHES = """
from senet_core.units import ResidualForm, unit_form

@unit_form("theirs.Block")
class Form(ResidualForm):
    pass
"""


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def power(name: str = "power", factor: int = 1) -> str:
    return POWER.format(name=name, factor=factor)


def registered() -> dict[str, list[str]]:
    return {registry.slot: list(registry) for registry in registries()}


def refusal(path: Path | str) -> str:
    """The one line that loading a file ends with; nothing of it may stay registered."""
    before = registered()
    with pytest.raises(UserError) as caught:
        load_plugin_file(path)
    assert registered() == before
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_a_decorated_function_is_used_by_name() -> None:
    @SQUEEZES.register("first-pixel", source="ours: a test")
    def first_pixel(x: torch.Tensor) -> torch.Tensor:
        return x[:, :, 0, 0]

    model = build_model("resnet8", SEVariant(squeeze="first-pixel"), num_classes=10, seed=0)
    assert model(torch.randn(2, 3, 8, 8)).shape == (2, 10)
    assert model.get_submodule("layer1.0.se").squeeze is first_pixel


def test_a_decorated_class_is_built_with_the_channels() -> None:
    @EXCITATIONS.register("scaled", source="ours: a test")
    class Scaled(torch.nn.Module):
        def __init__(self, channels: int) -> None:
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(channels))

        def forward(self, logits: torch.Tensor) -> torch.Tensor:
            return logits * self.scale

    model = build_model("resnet8", SEVariant(excitation="scaled"), num_classes=10, seed=0)
    names = {name: p.numel() for name, p in model.named_parameters() if name.endswith("excitation.scale")}
    assert names == {f"layer{i}.0.se.excitation.scale": c for i, c in ((1, 16), (2, 32), (3, 64))}


class TestFile:
    def test_its_entries_are_used_by_name_and_known_by_origin(self, tmp_path: Path) -> None:
        origin = load_plugin_file(write(tmp_path / "mine.py", power()))
        assert SQUEEZES["power"].origin == origin
        assert str(origin) == "file mine.py"
        model = build_model("resnet8", SEVariant(squeeze="power"), num_classes=10, seed=0)
        assert model(torch.randn(2, 3, 8, 8)).shape == (2, 10)

    def test_the_digest_is_the_contents(self, tmp_path: Path) -> None:
        first = load_plugin_file(write(tmp_path / "one.py", power("one")))
        second = load_plugin_file(write(tmp_path / "two.py", power("two")))
        assert first.digest != second.digest
        assert len(first.digest) == 12

    def test_is_run_once_under_whatever_name(self, tmp_path: Path) -> None:
        first = load_plugin_file(write(tmp_path / "mine.py", power()))
        assert load_plugin_file(str(tmp_path / "mine.py")) is first
        assert load_plugin_file(write(tmp_path / "copy.py", power())) is first

    def test_what_runs_is_what_was_digested(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Python's cached bytecode knows files by size and second; two edits can share both."""
        monkeypatch.setattr(sys, "dont_write_bytecode", False)
        digests = []
        for factor in (1, 2):
            file = write(tmp_path / "mine.py", power(factor=factor))
            os.utime(file, (10**9, 10**9))
            origin = load_plugin_file(file)
            digests.append(origin.digest)
            assert SQUEEZES["power"].build(torch.ones(1, 1, 2, 2)).item() == factor
            SQUEEZES.forget(origin)
        assert len(set(digests)) == 2
        assert os.listdir(tmp_path) == ["mine.py"]

    def test_its_functions_can_be_pickled_and_their_source_shown(self, tmp_path: Path) -> None:
        load_plugin_file(write(tmp_path / "mine.py", power("picklable")))
        function = SQUEEZES["picklable"].build
        assert pickle.loads(pickle.dumps(function)) is function
        assert "x.pow(2)" in inspect.getsource(function)

    def test_its_annotations_are_its_own_affair(self, tmp_path: Path) -> None:
        """Our `from __future__` imports must not change how a plug-in is compiled."""
        load_plugin_file(write(tmp_path / "mine.py", power("annotated").replace("(x)", "(x: int)")))
        assert SQUEEZES["annotated"].build.__annotations__ == {"x": int}

    @pytest.mark.parametrize(
        ("ending", "reason"),
        [
            ("x = = 1", "SyntaxError: invalid syntax (broken.py, line 7)"),
            ("1 / 0", "ZeroDivisionError: division by zero"),
            ("raise ValueError('two\\nlines')", "ValueError: two lines"),
            (
                "import no_such_module_anywhere",
                "ModuleNotFoundError: No module named 'no_such_module_anywhere'",
            ),
            ("raise SystemExit(3)", "SystemExit: 3"),
        ],
    )
    def test_that_fails_is_refused(self, tmp_path: Path, ending: str, reason: str) -> None:
        file = write(tmp_path / "broken.py", power() + ending)
        assert refusal(file) == f"plug-in {file} fails when loaded: {reason}"

    @pytest.mark.parametrize("content", [b"x = '\xff\xfe'", b"x = 1\x00", b"def f(): f()\nf()"])
    def test_that_fails_in_a_way_that_pythons_word_differently_is_refused(
        self, tmp_path: Path, content: bytes
    ) -> None:
        file = write(tmp_path / "broken.py", content)
        assert refusal(file).startswith(f"plug-in {file} fails when loaded: ")

    @pytest.mark.parametrize(
        ("ending", "reason"),
        [
            (power("avg"), "squeeze 'avg' is registered twice (first by built-in)"),
            (power(), "squeeze 'power' is registered twice (first by file broken.py)"),
            (
                "SQUEEZES['powr']",
                f"unknown squeeze 'powr'; did you mean 'power'? known: {', '.join(sorted([*SQUEEZES, 'power']))}",
            ),
            (
                "SQUEEZES.register('a b', source='')",
                "a squeeze is named by letters, digits, '-', '_' and '.', got 'a b'",
            ),
            (
                "SQUEEZES.register('mine')",
                'squeeze \'mine\' must say source="paper and equation", or "ours: why", when it is registered',
            ),
            (
                "SQUEEZES.register(7)",
                "a squeeze is named by letters, digits, '-', '_' and '.', got 7",
            ),
        ],
    )
    def test_whose_registration_is_refused_names_the_file(
        self, tmp_path: Path, ending: str, reason: str
    ) -> None:
        file = write(tmp_path / "broken.py", power() + ending)
        assert refusal(file) == f"plug-in {file}: {reason}"

    def test_whose_name_another_file_took_is_refused(self, tmp_path: Path) -> None:
        load_plugin_file(write(tmp_path / "one.py", power()))
        file = write(tmp_path / "two.py", power(factor=2))
        assert refusal(file) == f"plug-in {file}: squeeze 'power' is registered twice (first by file one.py)"
        assert SQUEEZES["power"].build(torch.ones(1, 1, 2, 2)).item() == 1

    @pytest.mark.parametrize("content", ["", "x = 1\n", "from senet_core import SQUEEZES\n"])
    def test_that_registers_nothing_is_refused(self, tmp_path: Path, content: str) -> None:
        file = write(tmp_path / "idle.py", content)
        assert refusal(file) == (
            f"plug-in {file} registers nothing; it should use a decorator such as @SQUEEZES.register"
        )

    def test_that_was_repaired_loads(self, tmp_path: Path) -> None:
        file = write(tmp_path / "mine.py", power() + "1 / 0")
        for _ in range(2):  # a failure is not remembered as a success
            assert "division by zero" in refusal(file)
        load_plugin_file(write(file, power()))
        assert "power" in SQUEEZES

    def test_that_cannot_be_read_is_refused(self, tmp_path: Path) -> None:
        missing = tmp_path / "missing.py"
        assert refusal(missing) == f"cannot read plug-in {str(missing)!r}: No such file or directory"
        assert refusal(str(tmp_path)) == f"cannot read plug-in {str(tmp_path)!r}: Is a directory"

    @pytest.mark.parametrize("name", ["mine.txt", "mine", "mine.py.bak"])
    def test_of_another_kind_is_refused(self, tmp_path: Path, name: str) -> None:
        file = write(tmp_path / name, power())
        assert refusal(file) == f"plug-in {str(file)!r} is not a Python file (*.py)"

    def test_of_an_unknown_users_home_is_refused(self) -> None:
        assert refusal("~no-such-user-here/mine.py").startswith(
            "cannot read plug-in '~no-such-user-here/mine.py': "
        )

    def test_with_a_null_byte_in_its_name_is_refused(self) -> None:
        assert refusal("a\0b.py") == "cannot read plug-in 'a\\x00b.py': embedded null byte"

    def test_in_a_loop_of_links_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "loop.py").symlink_to(tmp_path / "loop.py")
        assert refusal(tmp_path / "loop.py").startswith("cannot read plug-in ")

    def test_may_teach_a_block_and_nothing_else(self, tmp_path: Path) -> None:
        origin = load_plugin_file(write(tmp_path / "mine.py", TEACHES))
        assert FORMS["theirs.Block"].origin == origin

    def test_that_fails_teaches_nothing(self, tmp_path: Path) -> None:
        file = write(tmp_path / "broken.py", TEACHES + "1 / 0")
        assert "division by zero" in refusal(file)
        assert "theirs.Block" not in FORMS

    @pytest.mark.parametrize("block", ["torchvision.models.resnet.BasicBlock", "theirs.Block"])
    def test_that_teaches_a_known_block_is_refused(self, tmp_path: Path, block: str) -> None:
        load_plugin_file(write(tmp_path / "mine.py", TEACHES))
        file = write(tmp_path / "again.py", TEACHES.replace("theirs.Block", block) + "#")
        assert f"unit form {block!r} is registered twice (first by " in refusal(file)

    def test_that_uses_one_of_our_networks_does_not_own_its_blocks(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Our networks are imported when they are first used, and that may be by a plug-in that then fails."""
        block = "senet_core.backbones.vgg.Activation"
        monkeypatch.delitem(sys.modules, "senet_core.backbones.vgg", raising=False)
        FORMS._entries.pop(block, None)
        file = write(tmp_path / "broken.py", "import senet_core.backbones.vgg\n1 / 0")
        with pytest.raises(UserError, match="division by zero"):
            load_plugin_file(file)
        assert str(FORMS[block].origin) == "built-in"
