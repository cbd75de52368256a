"""What a reader of a probe sees first."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_gates import network, probe

from ablations.analysis.probe.first_screen import first_screen
from ablations.analysis.probe.gate_probe import GateProbe, ProbedRow
from ablations.analysis.probe.tables import glance_tables


def several(count: int) -> GateProbe:
    """Rows with the same networks under other names."""
    one = probe()
    return replace(
        one, rows=tuple(ProbedRow(f"row {number}", one.rows[0].networks) for number in range(count))
    )


def test_few_rows_are_named_with_what_they_say_of_the_statements() -> None:
    one = probe()
    [tally, constants] = first_screen(one).answer
    counts = dict.fromkeys(("confirmed", "contradicted", "undetermined"), 0)
    for found in one.rows[0].findings:
        counts[found.judgement] += 1
    assert sum(counts.values()) == 6
    for verb, judged in (
        ("confirms", "confirmed"),
        ("contradicts", "contradicted"),
        ("leaves open", "undetermined"),
    ):
        assert (f"{verb} {counts[judged]}" in tally) == bool(counts[judged])
    errors = [100 * found.mean for found in one.rows[0].over_seeds("constant_error").values() if found.mean]
    assert f"wrong by {min(errors):.1f} to {max(errors):.1f} % in SE r=4," in constants
    assert first_screen(one).cost.startswith("Gates of 3 trained networks in 1 row, on 40 test images each")


def test_what_all_rows_judge_alike_is_said() -> None:
    [_, shared, _] = first_screen(several(2)).answer
    confirmed, contradicted = shared.removeprefix("All of them confirm that ").split(", and contradict that ")
    said = {"confirmed": confirmed, "contradicted": contradicted, "undetermined": ""}
    for found in probe().rows[0].findings:
        claim = found.statement.claim.rstrip(".")
        for judgement, words in said.items():
            assert (claim[1:] in words) == (found.judgement == judgement != "undetermined")


def test_of_many_rows_ranges_are_said_and_four_stand_in_a_table() -> None:
    other = ProbedRow("other", {seed: network(seed, {"SE_2_3": {"between": 0.0}}) for seed in range(3)})
    made = several(5)
    [tally, *_, constants] = first_screen(replace(made, rows=(*made.rows, other))).answer
    assert "each of 6 rows confirms " in tally
    assert " to " in tally
    assert "in these rows, from unit to unit" in constants
    tables = glance_tables(made.rows)
    assert [len(table.columns) for table in tables] == [6, 3]
    assert [table.key for table in tables] == ["statements", "statements-2"]


@pytest.mark.parametrize("rows", [1, 3, 7])
def test_the_answer_has_at_most_three_sentences_for_any_number_of_rows(rows: int) -> None:
    assert 1 <= len(first_screen(several(rows)).answer) <= 3
