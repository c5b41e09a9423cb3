"""The table of faults: it has every row that was asked for, each row says what it must, and the page of the documentation has the same rows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from navtwin.errors import InputRefused
from navtwin.twin.alarms import ALARMS
from phantoms.faults.fault import GROUPS, Fault
from phantoms.faults.injectors import STREAMS
from phantoms.faults.table import FAULTS, choose, find

PAGE = Path(__file__).resolve().parents[2] / "docs" / "faults.md"

#: What must be in the table, in words, and the rows that are it.
ASKED = {
    "occlusion": {"occlusion", "reference-hidden"},
    "planar flip": {"planar-flip"},
    "swapped ids": {"swapped-ids"},
    "NaN": {"nan"},
    "shear": {"shear"},
    "scale": {"scale"},
    "reflection": {"reflection"},
    "frozen camera": {"frozen-camera", "camera-frozen"},
    "repeated stamps": {"repeated-stamps"},
    "backwards stamps": {"backwards-stamps"},
    "future stamps": {"future-stamps"},
    "drifting stamps": {"drifting-stamps"},
    "wall-clock jump": {"wall-clock-jump"},
    "tracker unplugged and back": {"tracker-unplugged", "camera-unplugged"},
    "sender restarted": {"sender-restarted"},
    "reference bumped": {"reference-bumped", "verify-due"},
    "registered one level off": {"level-off"},
    "wrong tool": {"wrong-tool"},
    "stale calibration": {"stale-calibration"},
    "wrong case": {"wrong-case"},
    "mirror": {"mirror"},
    "RAS for LPS": {"ras-for-lps"},
    "millimetres for metres": {"mm-for-metres"},
    "subscriber slow": {"subscriber-slow"},
    "subscriber gone": {"subscriber-gone"},
    "subscriber flooding": {"subscriber-flooding"},
    "link cut": {"link-cut"},
    "disk full": {"disk-full"},
    "log truncated or flipped": {"log-truncated", "log-flipped"},
    "core killed": {"core-killed"},
    "GUI killed": {"gui-killed"},
    "audio gone": {"audio-gone"},
    "CPU starved": {"cpu-starved"},
    "clock of the operator off by an hour": {"operator-clock"},
}


def test_every_fault_that_was_asked_for_is_in_the_table_and_nothing_else() -> None:
    asked = set().union(*ASKED.values())
    assert [f.name for f in FAULTS if f.name not in asked] == []
    assert sorted(asked - {f.name for f in FAULTS}) == []
    assert len({f.name for f in FAULTS}) == len(FAULTS)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_a_row_says_all_that_a_reader_must_know(fault: Fault) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", fault.name)
    assert fault.group in GROUPS
    assert fault.what.endswith(".")
    assert fault.deadline_ms > 0.0
    assert fault.lasts_s > 0.0
    for words in (fault.where, fault.why, fault.after):
        assert words, "nothing is left to be guessed"
        assert "|" not in words, "it is a cell of a table"
    if fault.signal.kind == "alarm":
        assert fault.signal.names
        assert set(fault.signal.names) <= set(ALARMS)
    else:
        assert not fault.signal.names


def test_the_faults_of_a_stream_are_rows_too() -> None:
    assert set(STREAMS) <= {f.name for f in FAULTS}


def test_an_unknown_fault_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputRefused, match="occlusion"):
        find("oclusion")


def test_rows_are_chosen_in_the_order_of_the_table() -> None:
    assert [f.name for f in choose(["link-cut", "occlusion"])] == ["occlusion", "link-cut"]
    assert choose([]) == FAULTS


@pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not here: this is not a checkout, or it was never made")
def test_the_page_of_the_documentation_has_the_same_rows() -> None:
    told = re.findall(r"^\| `([a-z-]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(told) == sorted(f.name for f in FAULTS), "run navtwin bench faults --markdown docs/faults.md"
