"""Study files: shipped ones by name, the user's by path; bad ones said in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ablations.planning.design import design
from ablations.planning.study_file import load_study, shipped_studies
from senet_core import SQUEEZES, SEVariant, UserError

WriteStudy = Callable[..., str]
SHIPPED = {
    "block-search",
    "tuned-excitation",
    "a-a",
    "quick-recipe",
    "recipe-parts",
    "quickstart",
    "smoke",
    "reduction-ratio",
    "squeeze",
    "excitation",
    "stages",
    "integration",
    "conv3x3",
    "no-squeeze",
    "section6",
    "section6-recipe",
    "section6-deeper",
    "section6-tuned",
    "first-epoch",
    "deeper",
    "gates",
    "pruning",
    "shapes-detection",
    "shapes-segmentation",
    "zoo",
    "squeeze-extended",
    "excitation-extended",
    "gate-start",
    "last-stage",
    "cifar-preact-resnet",
    "cifar-wide-resnet",
    "cifar-shake-shake",
    "cifar-shake-even",
}


def refusal(study: str, **changes: object) -> str:
    with pytest.raises(UserError) as caught:
        load_study(study, **changes)  # type: ignore[arg-type]
    text = str(caught.value)
    assert "\n" not in text
    return text


class TestShipped:
    def test_are_those_that_are_promised(self) -> None:
        assert set(shipped_studies()) == SHIPPED

    @pytest.mark.parametrize("name", shipped_studies())
    def test_load_and_unfold(self, name: str) -> None:
        study = load_study(name)
        unfolded = design(study)
        assert study.name == name
        assert len(unfolded.rows) >= (1 if study.design == "search" else 2)  # it finds what to compare
        assert (unfolded.plain is not None) == getattr(study, "include_plain", False)  # programs have none
        keys = [trial.key for trial in unfolded.trials]
        assert len(set(keys)) == len(keys) == len(unfolded.rows) * len(study.seeds)
        assert len({row.label for row in unfolded.rows}) == len(unfolded.rows)

    @pytest.mark.parametrize(
        ("name", "axis", "texts"),
        [
            ("reduction-ratio", "reduction", {"2", "4", "8", "16", "32"}),
            ("squeeze", "squeeze", {"avg", "max"}),
            ("excitation", "excitation", {"relu", "tanh", "sigmoid"}),
            ("stages", "stages", {"2", "3", "4", "all"}),
            ("integration", "integration", {"standard", "pre", "post", "identity"}),
            ("conv3x3", "integration", {"standard", "conv3x3"}),
            ("no-squeeze", "squeeze", {"avg", "none"}),
        ],
    )
    def test_ask_what_the_papers_tables_ask(self, name: str, axis: str, texts: set[str]) -> None:
        unfolded = design(load_study(name))
        assert {dict(row.values)[axis] for row in unfolded.on_axis(axis)} == texts
        assert unfolded.baseline.variant == SEVariant(reduction=4)
        assert unfolded.baseline.data.name == "cifar10"

    def test_section6_shares_its_trials_with_the_single_studies(self) -> None:
        whole = {trial.key for trial in design(load_study("section6", seeds=6)).trials}
        for name in (
            "reduction-ratio",
            "squeeze",
            "excitation",
            "stages",
            "integration",
            "conv3x3",
            "no-squeeze",
        ):
            assert {trial.key for trial in design(load_study(name, seeds=6)).trials} <= whole


class TestFile:
    def test_is_named_after_its_file(self, write_study: WriteStudy) -> None:
        study = load_study(write_study("my-study_2.yml", title="Mine"))
        assert (study.name, study.title) == ("my-study_2", "Mine")

    def test_may_have_text_in_any_language(self, write_study: WriteStudy, tmp_path: Path) -> None:
        file = write_study(title="größer – 比")
        assert load_study(file).title == "größer – 比"
        (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbf" + Path(file).read_bytes())
        assert load_study(str(tmp_path / "bom.yaml")).title == "größer – 比"

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", " is empty; `ablate init NAME` writes one to begin with"),
            (b"- title", " must be a mapping of fields such as title, baseline and axes"),
            (b"just text", " must be a mapping of fields such as title, baseline and axes"),
            (b"1: title", " must be a mapping of fields such as title, baseline and axes"),
            (b"title: [", " is not valid YAML: "),
            (b"title: a: b", " is not valid YAML: "),
            (b"title: \x07", " is not valid YAML: "),
            (b"title: 2001-99-99", " is not valid YAML: "),
            (b"? [a]\n: b", " is not valid YAML: "),
            (b"a: *nowhere", " is not valid YAML: "),
            (b"a: 1\n---\nb: 2", " is not valid YAML: "),
            (b"[" * 1000, " is not valid YAML: "),
            (b"name: other", ": 'name' is not for the user to set; the file's name is the study's"),
            (b"overrides: []", ": 'overrides' is not for the user to set; "),
            (b"typed: []", ": 'typed' is not for the user to set; "),
            (b"plugins: mine.py", ": plugins must be a list of files, got 'mine.py'"),
            (b"plugins: [3]", ": plugins must be a list of files, got [3]"),
            (b"title: x", ": question is missing"),
        ],
    )
    def test_that_is_no_study_is_refused(self, tmp_path: Path, content: bytes, reason: str) -> None:
        (tmp_path / "bad.yaml").write_bytes(content)
        assert refusal(str(tmp_path / "bad.yaml")).startswith(f"study 'bad'{reason}")

    def test_with_tabs_is_told_what_yaml_is_indented_by(self, tmp_path: Path) -> None:
        (tmp_path / "tabs.yaml").write_bytes(b"title: a\n\tquestion: b")
        assert refusal(str(tmp_path / "tabs.yaml")).endswith("; lines are indented by blanks, never by tabs")

    @pytest.mark.parametrize(
        "content", ["title: ü".encode("latin-1"), "title: x".encode("utf-16"), b"\x89PNG\r\n"]
    )
    def test_that_is_not_utf8_is_refused(self, tmp_path: Path, content: bytes) -> None:
        file = tmp_path / "bad.yaml"
        file.write_bytes(content)
        assert refusal(str(file)) == f"study {str(file)!r} is not a text file in UTF-8"

    @pytest.mark.parametrize(
        "value",
        [
            "!!python/object/apply:os.system ['touch PLACE']",
            "!!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ['PLACE']]",
            "!!python/name:os.system",
            "!!python/module:os",
        ],
    )
    def test_whose_tags_would_run_code_is_refused(
        self, tmp_path: Path, write_study: WriteStudy, value: str
    ) -> None:
        place = tmp_path / "it-ran"
        file = Path(write_study())
        file.write_text(file.read_text() + f"paper_tables: {value.replace('PLACE', str(place))}\n")
        assert refusal(str(file)).startswith(
            "study 'small' is not valid YAML: could not determine a constructor"
        )
        override = f"title={value.replace('PLACE', str(place))}"
        assert refusal("smoke", overrides=[override]).startswith(
            "`overrides` title: could not determine a constructor"
        )
        assert not place.exists()

    def test_that_cannot_be_read_is_refused(self, tmp_path: Path) -> None:
        missing, folder = str(tmp_path / "missing.yaml"), tmp_path / "folder.yaml"
        folder.mkdir()
        assert refusal(missing) == f"cannot read study {missing!r}: No such file or directory"
        assert refusal(str(folder)) == f"cannot read study {str(folder)!r}: Is a directory"

    def test_whose_name_cannot_name_a_folder_is_refused(self, write_study: WriteStudy) -> None:
        assert refusal(write_study("my study.yaml")).startswith(
            "study 'my study': name must begin with a letter or digit, "
        )

    @pytest.mark.parametrize("name", ["reduction-ratios", "./smoke", "smoke.yaml.txt"])
    def test_an_unknown_name_is_said_with_the_shipped_ones(self, name: str) -> None:
        text = refusal(name)
        assert text.startswith(f"unknown study {name!r};")
        assert text.endswith(f"shipped: {', '.join(sorted(SHIPPED))}; or give a .yaml file")
        near = {"reduction-ratios": "reduction-ratio", "./smoke": "smoke"}
        assert ("did you mean" in text) == (name in near)
        assert name not in near or f"did you mean {near[name]!r}?" in text

    @pytest.mark.parametrize("line", ["title: again", "axes: {squeeze: [avg], squeeze: [max]}"])
    def test_that_says_a_field_twice_is_refused(self, write_study: WriteStudy, line: str) -> None:
        file = Path(write_study(axes=None, seeds=2))
        extra = "" if line.startswith("axes") else "axes: {}\n"
        file.write_text(f"{file.read_text()}{extra}{line}\n")
        assert "twice" in refusal(str(file))

    def test_that_merges_fields_may_say_one_again(self, write_study: WriteStudy) -> None:
        file = Path(write_study(recipe=None))
        file.write_text(
            f"{file.read_text()}recipe: {{<<: &quick {{base: cifar-quick, epochs: 2}}, epochs: 4}}\n"
        )
        assert load_study(str(file)).recipe.epochs == 4

    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            ("{a: &a [*a]}", "a value contains itself, line 1, column 8"),
            ("{true: 1}", "a field is named by text or a whole number, got 'true'; put a name in quotes, "),
            ("{0.5: 1}", "a field is named by text or a whole number, got '0.5'; "),
            ("{2001-01-01: 1}", "a field is named by text or a whole number, got '2001-01-01'; "),
            ("{[a]: 1}", "a field is named by text or a whole number, got a list or a mapping; "),
            ("{16: 1, 0x10: 2}", "16 is given twice, line 1, column "),
        ],
    )
    def test_whose_values_cannot_be_meant_is_refused(self, tmp_path: Path, value: str, reason: str) -> None:
        (tmp_path / "bad.yaml").write_text(f"x: {value}")
        assert refusal(str(tmp_path / "bad.yaml")).startswith(f"study 'bad' is not valid YAML: {reason}")
        assert refusal("smoke", overrides=[f"title={value}"]).startswith("`overrides` title: ")

    @pytest.mark.parametrize("link", ["[{0}, {0}]", "{{x: {0}, y: {0}}}", "{{<<: [{0}, {0}]}}"])
    def test_that_grows_by_its_aliases_is_refused_before_it_does(self, tmp_path: Path, link: str) -> None:
        lines = ["a0: &a0 {k: v}", *(f"a{i + 1}: &a{i + 1} {link.format(f'*a{i}')}" for i in range(60))]
        (tmp_path / "bomb.yaml").write_text("\n".join(lines))
        text = refusal(str(tmp_path / "bomb.yaml"))
        assert text.startswith(
            "study 'bomb' is not valid YAML: more than 10000 values, aliases included, line "
        )

    def test_what_was_given_is_shown_in_part(self) -> None:
        assert len(refusal("smoke", overrides=[f"title=[{'abc, ' * 2000}]"])) < 200

    @pytest.mark.usefixtures("own_registries")
    def test_may_name_a_plug_in_of_the_home_folder(
        self, write_study: WriteStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        home = tmp_path / "home"
        home.mkdir()
        (home / "mine.py").write_text(
            "from senet_core import SQUEEZES\nSQUEEZES.register('homely', source='ours')(abs)\n"
        )
        monkeypatch.setenv("HOME", str(home))
        assert load_study(write_study(plugins=["~/mine.py"])).plugins == ("~/mine.py",)
        assert "homely" in SQUEEZES


def test_names_are_read_in_composed_form_and_paths_as_they_are() -> None:
    from ablations.planning.yaml_text import read_yaml

    assert read_yaml("name: cafe\u0301") == {"name": "caf\u00e9"}
    assert read_yaml("path: data/cafe\u0301") == {"path": "data/cafe\u0301"}
