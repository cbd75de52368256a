"""Choices take exactly their budget, whatever happens on the way, and what they chose is trained on fresh seeds."""

from __future__ import annotations

import json
import math
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from choosing import Choosing, Chosen, error_of, search_programs, search_study, tuned_programs, tuned_study
from small import small_study

from ablations.analysis.results.selection import select
from ablations.planning.choices.arms import arms_of
from ablations.planning.design import Design
from ablations.planning.designs.kind import CONFIRM_FROM
from ablations.planning.designs.tuned import CHOOSE_FROM
from ablations.planning.networks.choosing import OBJECTIVES
from ablations.running.machine.holder import Holder, process_start
from ablations.running.record.leases import Leases
from ablations.running.record.proposals import Proposal, read_proposals
from ablations.running.record.study_record import StudyRecord
from ablations.running.record.trial_record import Kind
from ablations.running.search import proposer
from ablations.running.search.judged import Judged
from ablations.running.search.storage import FILE_NAME, close_storage, open_storage
from ablations.running.search.view import View
from ablations.running.trials.task import Task
from senet_core.errors import UserError


def proposals_asked(choosing: Choosing) -> list[object]:
    return [trial for trial in choosing.asked if trial.proposed]


def optuna_trials(choosing: Choosing, design: Design) -> list[optuna.trial.FrozenTrial]:
    storage = optuna.storages.RDBStorage(f"sqlite:///{choosing.paths(design).results / FILE_NAME}")
    studies = optuna.get_all_study_summaries(storage=storage)
    return [t for s in studies for t in optuna.load_study(study_name=s.study_name, storage=storage).trials]


def optuna_states(choosing: Choosing, design: Design) -> Counter[str]:
    return Counter(trial.state.name for trial in optuna_trials(choosing, design))


def test_every_row_of_a_tuned_study_gets_the_same_number_of_proposals(
    choosing: Choosing, chosen: Chosen
) -> None:
    design = chosen.tuned()

    outcome = choosing.sweep(design)

    counts = Counter(p.arm for p in read_proposals(choosing.paths(design).results))
    assert counts == {row.label: 6 for row in design.rows}
    assert (outcome.failed, outcome.left) == (0, 0)


def test_rows_are_trained_with_what_was_best_for_them_on_validation_images(choosing: Choosing) -> None:
    design = tuned_study()
    record = choosing.sweep(design).record

    for choice in select(design, record).choices:
        best = min(choice.judged, key=lambda j: j.values or (1000,))
        row = next(row for row in select(design, record).design.rows if row.label == choice.arm.name)
        assert row.recipe.lr == best.proposal.params["lr"]
        assert row.data.validation_images is None
        for seed in design.seeds:
            assert row.trial(seed).key in record.finished


def test_a_finished_choice_trains_nothing_when_it_is_asked_again(choosing: Choosing, chosen: Chosen) -> None:
    design = chosen.tuned()
    choosing.sweep(design)
    before = len(choosing.asked)

    outcome = choosing.sweep(design)

    assert (len(choosing.asked), outcome.trained, outcome.left) == (before, 0, 0)


def test_proposals_have_seeds_that_no_comparison_has(choosing: Choosing, chosen: Chosen) -> None:
    design = chosen.search()
    choosing.sweep(design)

    for trial in choosing.asked:
        if not trial.proposed:
            assert CONFIRM_FROM <= trial.seed < CHOOSE_FROM
        else:
            assert trial.seed >= CHOOSE_FROM


def test_the_first_proposal_is_where_the_study_stands(choosing: Choosing) -> None:
    design = search_study()
    choosing.sweep(design)

    assert choosing.asked[0].variant == small_study().baseline.variant


def test_a_search_finds_better_networks_than_its_baseline(choosing: Choosing, chosen: Chosen) -> None:
    design = chosen.search(trials=30)
    record = choosing.sweep(design).record

    best = select(design, record).choices[0].candidates[0]
    assert error_of(best.row.trial(0)) < error_of(design.baseline.trial(0))
    winners = select(design, record).design
    assert best.row.identity in {row.identity for row in winners.rows}
    assert winners.seeds == (CONFIRM_FROM, CONFIRM_FROM + 1)


@pytest.mark.parametrize("at", [1, 4, 12])
@pytest.mark.parametrize("point", ["handing out", "written down"])
def test_a_search_that_dies_ends_with_exactly_its_budget(
    choosing: Choosing, chosen: Chosen, monkeypatch: pytest.MonkeyPatch, point: str, at: int
) -> None:
    design, times = chosen.search(), []

    def die(*_: object) -> None:
        times.append(1)
        if len(times) == at:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(
            *((choosing, "handing_out") if point == "handing out" else (choosing.watcher, "finished")), die
        )
        with pytest.raises(KeyboardInterrupt):
            choosing.sweep(design)
    record = choosing.sweep(design).record

    choice = select(design, record).choices[0]
    assert [j.state for j in choice.judged] == ["finished"] * 12
    assert optuna_states(choosing, design) == {"COMPLETE": 12}


def test_a_proposal_that_was_asked_for_and_not_written_down_leaves_no_phantom(
    choosing: Choosing, chosen: Chosen, monkeypatch: pytest.MonkeyPatch
) -> None:

    design = chosen.search()

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(StudyRecord, "add_proposal", die)
        with pytest.raises(KeyboardInterrupt):
            choosing.sweep(design)
    choosing.sweep(design)

    states = optuna_states(choosing, design)
    assert states["COMPLETE"] == 12
    assert states["RUNNING"] == 0


def test_a_torn_line_of_the_proposals_is_passed_over(choosing: Choosing, chosen: Chosen) -> None:
    design = chosen.search()
    choosing.sweep(design)
    path = choosing.paths(design).proposals
    content = path.read_bytes()
    lines = content.splitlines(keepends=True)
    for cut in range(1, len(lines[-1])):
        path.write_bytes(content[:-cut])
        assert len(read_proposals(path.parent)) == 11

    choosing.sweep(design)

    assert len(read_proposals(path.parent)) == 12


def test_a_corrupt_proposal_is_named_with_its_line(choosing: Choosing) -> None:
    design = search_study()
    choosing.sweep(design)
    path = choosing.paths(design).proposals
    lines = path.read_text().splitlines()
    lines[3] = lines[3].replace('"seed"', '"sead"')
    path.write_text("\n".join(lines) + "\n")

    with pytest.raises(UserError, match=r"proposals\.jsonl, line 4 is corrupt"):
        choosing.sweep(design)


@pytest.mark.parametrize("kind", ["oom", "killed", "error", "disk", "timeout"])
def test_a_trial_that_failed_does_not_count(choosing: Choosing, chosen: Chosen, kind: Kind) -> None:
    design = chosen.search()
    choosing.fail = lambda trial: kind if len(choosing.asked) in (2, 5) else None

    outcome = choosing.sweep(design)

    choice = select(design, outcome.record).choices[0]
    assert Counter(j.state for j in choice.judged) == {"finished": 12, "failed": 2}
    assert optuna_states(choosing, design) == {"COMPLETE": 12, "FAIL": 2}
    assert outcome.failed == 0  # each was replaced


def test_where_the_study_stands_is_tried_again_when_its_trial_failed(
    choosing: Choosing, chosen: Chosen
) -> None:
    design = chosen.search()
    choosing.fail = lambda trial: "oom" if len(choosing.asked) == 1 else None

    judged = select(design, choosing.sweep(design).record).choices[0].judged

    assert [j.state for j in judged if j.is_start] == ["failed", "finished"]
    assert judged[1].is_start


def test_a_diverged_trial_counts_and_is_as_bad_as_can_be(choosing: Choosing) -> None:
    design = tuned_study()
    choosing.fail = lambda trial: (
        "diverged" if trial.recipe.lr > 0.2 and trial.data.validation_images is not None else None
    )

    record = choosing.sweep(design).record

    choices = select(design, record).choices
    assert any(judged.state == "diverged" for choice in choices for judged in choice.judged)
    assert (
        max(trial.value for trial in optuna_trials(choosing, design))
        == OBJECTIVES["validation_error"].worst
        == 100
    )
    for choice in choices:
        assert len(choice.judged) == 6
        assert choice.best is not None
        assert choice.best.row.recipe.lr <= 0.2


def test_a_program_that_diverges_is_as_bad_as_can_be(choosing: Choosing) -> None:
    design = tuned_programs()
    choosing.fail = lambda trial: "diverged" if trial.proposed and trial.values["rate"] > 0.2 else None

    record = choosing.sweep(design).record

    worst = min(trial.value for trial in optuna_trials(choosing, design))
    assert worst == -math.inf
    for choice in select(design, record).choices:
        assert any(judged.state == "diverged" for judged in choice.judged)
        assert choice.best is not None
        assert choice.best.row.trial(0).values["rate"] <= 0.2
        assert choice.best.values[0] == max(c.values[0] for c in choice.candidates)


def test_of_a_program_nothing_but_the_validation_metric_decides(choosing: Choosing) -> None:
    design = search_programs(trials=30)
    record = choosing.sweep(design).record

    chosen = select(design, record)
    best = chosen.choices[0].candidates[0]
    assert best.values[0] == max(c.values[0] for c in chosen.choices[0].candidates)
    assert best.row.trial(0).values["way"] == "other"
    for line in record.finished.values():
        assert set(line.result.values) - {"train_seconds"} == (
            {"held_out"} if line.proposed else {"held_out", "score"}
        )


def test_a_search_in_which_everything_fails_gives_up(choosing: Choosing, chosen: Chosen) -> None:
    design = chosen.search()
    choosing.fail = lambda trial: "error"

    outcome = choosing.sweep(design)

    assert outcome.left == 12
    assert len(choosing.asked) == 5
    assert any("5 proposals failed alike (error)" in said for said in choosing.watcher.said)


def test_the_storage_may_be_lost(choosing: Choosing, chosen: Chosen) -> None:
    design = chosen.search(trials=20)
    half = chosen.search(trials=10)
    choosing.sweep(half)
    (choosing.paths(half).results / FILE_NAME).unlink()

    record = choosing.sweep(design).record

    assert len(select(design, record).choices[0].judged) == 20
    assert len(proposals_asked(choosing)) == 20
    assert optuna_states(choosing, design) == {"COMPLETE": 20}


def test_a_larger_budget_continues_a_search(choosing: Choosing, chosen: Chosen) -> None:
    choosing.sweep(chosen.search(trials=6))
    asked = len(proposals_asked(choosing))

    record = choosing.sweep(chosen.search(trials=9)).record

    assert (asked, len(proposals_asked(choosing))) == (6, 9)
    assert select(chosen.search(trials=9), record).choices[0].over


def test_another_space_is_another_choice(choosing: Choosing) -> None:
    choosing.sweep(search_study())
    before = len(proposals_asked(choosing))

    choosing.sweep(search_study(validation_images=30))

    assert len(proposals_asked(choosing)) == before + 12


def test_a_fresh_start_forgets_what_was_proposed(choosing: Choosing, chosen: Chosen) -> None:
    design = chosen.search()
    choosing.sweep(design)

    choosing.sweep(design, fresh=True)

    assert len(proposals_asked(choosing)) == 24
    assert optuna_states(choosing, design) == {"COMPLETE": 12}


def test_another_repetition_is_another_search(choosing: Choosing, chosen: Chosen) -> None:
    choosing.sweep(chosen.search())
    first = proposals_asked(choosing)

    choosing.sweep(chosen.search(repetition=1))

    assert len(proposals_asked(choosing)) == 2 * len(first)


def test_a_latency_is_measured_though_the_same_networks_were_trained_without_a_clock(
    choosing: Choosing,
) -> None:
    choosing.sweep(search_study(objectives=["validation_error", "parameters"]))
    timed = search_study(objectives=["validation_error", "latency"])

    choice = select(timed, choosing.sweep(timed).record).choices[0]

    assert len(choice.judged) == 12
    assert all(j.values is not None for j in choice.judged)


def test_two_drivers_are_never_given_the_same_proposal(
    choosing: Choosing, chosen: Chosen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the second asks before the first has begun to train."""
    monkeypatch.setattr(proposer, "is_shared", lambda url: True)
    design = chosen.search()
    paths = choosing.paths(design)
    paths.make_writable()
    holder = Holder.this_process()
    drivers = []
    for pid in (holder.pid, os.getppid()):  # two processes that live
        leases = Leases(paths.leases)
        monkeypatch.setattr(leases, "_me", replace(holder, pid=pid, start=process_start(pid), token=str(pid)))
        drivers.append(proposer.Proposer(design, paths, paths.open_record(), leases, None, print))

    given = [[trial.key for _, trial in driver.propose(2)] for driver in drivers]

    assert [len(keys) for keys in given] == [2, 2]
    assert len({*given[0], *given[1]}) == 4
    for driver in drivers:
        driver.close()


def test_two_results_folders_share_a_database(choosing: Choosing, tmp_path: Path) -> None:
    other, url = Choosing(tmp_path / "other"), f"sqlite:///{tmp_path}/both.db"
    design = search_study()
    choosing.sweep(search_study(trials=6), storage=url)
    other.sweep(design, storage=url)

    record = choosing.sweep(design, storage=url).record

    assert len(select(design, record).choices[0].judged) == 12
    storage = open_storage(url)
    assert [s.n_trials for s in optuna.get_all_study_summaries(storage=storage)] == [12, 12]
    close_storage(storage)


def test_what_is_proposed_again_gets_another_seed(choosing: Choosing) -> None:
    design = small_study(
        "search", design="search", axes={"squeeze": ["avg", "max"]}, seeds=[], confirm=2,
        search={"trials": 8, "validation_images": 40},
    )  # fmt: skip
    record = choosing.sweep(design).record

    keys = [j.proposal.key for j in select(design, record).choices[0].judged]
    assert len(set(keys)) == 8
    assert sum(c.visits for c in select(design, record).choices[0].candidates) == 8


def test_trials_without_prospects_are_pruned_and_say_how_far_they_came(
    choosing: Choosing, chosen: Chosen, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    def ended(task: Task) -> bool:
        time.sleep(0.5)  # the sweep looks at progress now and then
        assert task.prune_file is None or task.prune_file.parent == task.running_dir
        return task.prune_file is not None and task.prune_file.exists()

    monkeypatch.setattr(choosing, "epoch_ended", ended)
    design = chosen.search(pruner="median", trials=12)
    record = choosing.sweep(design).record

    judged = select(design, record).choices[0].judged
    pruned = [j for j in judged if j.state == "pruned"]
    assert pruned
    assert sum(j.counts for j in judged) == 12
    assert all(j.line is not None and 1 <= len(j.line.history) <= 3 for j in pruned)
    assert optuna_states(choosing, design)["PRUNED"] == len(pruned)
    assert not list(choosing.results.rglob("*.prune"))


def test_hours_are_a_budget_too(choosing: Choosing, chosen: Chosen) -> None:
    design = chosen.search(trials=None, hours=5 * 4 / 3600)  # a pretended trial takes four seconds

    record = choosing.sweep(design).record

    assert len(select(design, record).choices[0].judged) == 5


def test_several_objectives_give_a_front(choosing: Choosing) -> None:
    design = search_study(objectives=["validation_error", "parameters", "latency"], trials=20)
    record = choosing.sweep(design).record

    choice = select(design, record).choices[0]
    assert len(choice.judged) == 20
    for one in choice.front:
        others = [c.values for c in choice.candidates if c.values != one.values]
        assert not any(all(a <= b for a, b in zip(values, one.values, strict=True)) for values in others)


def test_two_drivers_of_a_file_are_refused_in_one_line(choosing: Choosing) -> None:
    design = search_study()
    said: list[str] = []

    def second(task: Task) -> None:
        if not said:
            with pytest.raises(UserError) as caught:
                Choosing(choosing.results.parent).sweep(design)
            said.append(str(caught.value))

    choosing.before = second
    choosing.sweep(design)

    assert said == [
        "another process is choosing for study 'search'; for several at once, share a database:"
        " `storage=postgresql://USER@HOST/NAME`"
    ]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("somewhere", "`storage` takes the address of a database"),
        ("postgresql://nobody@127.0.0.1:1/none", "cannot be opened"),
        ("mysql://nobody@127.0.0.1/none", "needs a driver that is not installed"),
        ("nonsense://x", "cannot be opened|cannot be read|not installed"),
    ],
)
def test_a_storage_that_cannot_be_had_is_said_before_anything_is_trained(
    choosing: Choosing, url: str, words: str
) -> None:
    with pytest.raises(UserError, match=words):
        choosing.sweep(search_study(), storage=url)
    assert not choosing.asked


def test_proposals_are_readable_by_people(choosing: Choosing, tmp_path: Path) -> None:
    design = search_study()
    choosing.sweep(design)

    first = json.loads(choosing.paths(design).proposals.read_text().splitlines()[0])

    assert first["params"] == {"squeeze": "avg", "excitation": "sigmoid", "reduction": "8"}
    assert first["number"] == 0


def test_what_a_driver_asked_for_before_it_died_is_told_by_the_one_that_takes_it_over(tmp_path: Path) -> None:
    [arm] = arms_of(search_study())
    storage = open_storage(f"sqlite:///{tmp_path}/optuna.db")
    other, dying = (View("a study", arm, storage) for _ in range(2))
    params = dying.ask(())
    trial = arm.space.proposed_row(params).trial(0)
    dying.name(trial.key)  # and no more: `other` has never looked since
    proposal = Proposal(arm.name, arm.asked, 0, trial.key, 0, dict(params))
    other.tell(Judged(arm, proposal, None, "finished", (12.5,)))
    close_storage(storage)
    trials = optuna.load_study(
        study_name=other.study.study_name, storage=f"sqlite:///{tmp_path}/optuna.db"
    ).trials
    assert [(t.state.name, t.values) for t in trials] == [("COMPLETE", [12.5])]


def test_a_sweep_that_ends_leaves_nothing_asked_for_behind(choosing: Choosing, tmp_path: Path) -> None:
    design = search_study()

    def ask_and_die() -> None:
        if len(choosing.asked) == 11:  # nobody asks again after this one
            study = optuna.load_study(
                study_name=None, storage=f"sqlite:///{choosing.paths(design).results}/{FILE_NAME}"
            )
            study.ask()

    choosing.handing_out = ask_and_die
    choosing.sweep(design)
    assert optuna_states(choosing, design)["RUNNING"] == 0


@pytest.mark.parametrize("directions", [["maximize"], ["maximize", "minimize"], ["minimize", "minimize"]])
def test_a_study_of_others_that_has_the_name_in_the_storage_is_refused_and_kept(
    directions: list[str],
) -> None:
    """Optuna would take it as it is, and a search for the lowest error would choose the highest."""
    (arm,) = arms_of(search_study())
    storage = optuna.storages.InMemoryStorage()
    name = View("ours", arm, storage).study.study_name
    optuna.delete_study(study_name=name, storage=storage)
    optuna.create_study(study_name=name, storage=storage, directions=directions)
    with pytest.raises(
        UserError, match=rf"was not made by this search: its directions are {', '.join(directions)}, not mini"
    ):
        View("ours", arm, storage)
    kept = optuna.load_study(study_name=name, storage=storage)
    assert [direction.name.lower() for direction in kept.directions] == directions
