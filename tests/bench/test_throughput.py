import statistics
from pathlib import Path

import pytest
import torch

from bench.contenders import entries
from bench.contenders.entries import Contender, chosen, contenders
from bench.contenders.network import SEResNet20
from bench.contenders.ours import together
from bench.throughput import Course, describe_bench, run_bench, write_bench
from senet_core import SEVariant, build_model
from senet_core.errors import UserError

COURSE = Course(rounds=3, steps=2, batch=4, cores=1)
SCRIPT = """
import json, pathlib, sys
turns = pathlib.Path(__file__).with_suffix(".turns")
turn = len(turns.read_text()) if turns.exists() else 0
turns.write_text("x" * (turn + 1))
print("something else")
print(json.dumps({"images_per_second": [SPEEDS][turn], "cpu_ms_per_image": 2 * 10 / [SPEEDS][0], "steps": sys.argv[1]}))
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(entries, "ROOT", tmp_path)
    (tmp_path / "one.py").write_text(SCRIPT.replace("SPEEDS", "100, 200, 400"))
    (tmp_path / "two.py").write_text(SCRIPT.replace("SPEEDS", "150, 800, 800"))
    (tmp_path / "bad.py").write_text("raise SystemExit('no such thing')")
    return tmp_path


def test_ratios_compare_throughputs_of_the_same_round(programs: Path) -> None:
    said: list[str] = []
    one, two = run_bench((Contender("a", "A", "one"), Contender("b", "B", "two")), COURSE, say=said.append)
    assert one.rounds == (100, 200, 400)
    assert one.ratio == 1
    assert (two.median, two.ratio) == (800, statistics.median((1.5, 4, 2)))
    assert (one.cpu_rounds, two.cpu_ratio) == ((0.2,) * 3, pytest.approx(1.5))
    assert two.told == {"steps": "--steps=2"}
    assert said[:2] == ["round 1 of 3: A: 100 images/s", "round 1 of 3: B: 150 images/s"]


def test_a_failing_contender_is_named(programs: Path) -> None:
    with pytest.raises(UserError, match="contender 'c' failed: no such thing"):
        run_bench((Contender("c", "C", "bad"),), COURSE)


def test_an_unknown_contender_is_refused_with_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'ours'"):
        chosen(["our"])


def test_a_contender_without_its_package_is_refused_when_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "find_spec", lambda name: None)
    with pytest.raises(
        UserError, match=r"'timm' needs timm; install it with pip install 'senet-ablations\[bench\]'"
    ):
        chosen(["timm"])
    assert [contender.needs for contender in chosen([])] == [""] * len(chosen([]))


def test_the_record_of_a_bench_names_machine_versions_and_course(programs: Path, tmp_path: Path) -> None:
    timings = run_bench((Contender("a", "A", "one"),), COURSE)
    content = describe_bench(timings, COURSE, load_before=0.5)
    assert content["torch"] == torch.__version__.partition("+")[0] or content["torch"] == torch.__version__
    assert (content["batch"], content["cores_used"], content["images"]) == (4, 1, "random")
    path = write_bench(content, tmp_path / "results")
    assert path.parent.name == "bench"


@pytest.mark.parametrize("name", [contender.name for contender in contenders()])
def test_every_contender_trains(name: str) -> None:
    """As its library is today: what it offers is in a process of its own, and nothing else would notice a change."""
    [timed] = run_bench(chosen([name]), Course(rounds=1, steps=2, warmup=1, batch=8, cores=1))
    assert timed.median > 0


def test_the_peers_network_computes_what_ours_does() -> None:
    theirs, ours = SEResNet20(), build_model("resnet20", SEVariant(), num_classes=10, seed=0)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(theirs.eval()(x), ours.eval()(x))


def test_throughput_is_counted_where_all_workers_are_warm() -> None:
    early, late = [0.0, 1.0, 2.0, 3.0, 4.0], [2.0, 2.5, 3.0, 3.5, 4.0]
    assert together([early, late], warmup=1, batch=10) == 10 * (1 + 2)
