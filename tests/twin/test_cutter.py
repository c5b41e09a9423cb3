"""What a rig may say of a tool's cutter, and what is refused because distances or cuts would be wrong by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from navtwin.bus.words import subject_words
from navtwin.errors import InputRefused
from navtwin.nouns import Part, read_rig
from tests.golden.make import RIG_TEXT
from tests.twin.drill_world import drill_rig


@pytest.mark.parametrize(
    ("cutter", "words"),
    [
        ({"part": "nose"}, "part 'nose', which it has not"),
        ({"radius_mm": 0.0}, "radius_mm = 0"),
        ({"radius_mm": 2.1}, r"wider \(2.1 mm\) than its part 'burr' \(2 mm\)"),
        ({"length_mm": 1.0}, "sphere with length_mm = 1"),
        ({"neck_radius_mm": 1.0}, "sphere with neck_radius_mm = 1"),
        ({"profile": "cylinder"}, "cylinder with length_mm = 0"),
        ({"profile": "cylinder", "length_mm": -1.0}, "cylinder with length_mm = -1"),
        ({"profile": "pear", "neck_radius_mm": 1.0}, "pear with length_mm = 0"),
        ({"profile": "pear", "length_mm": 2.0}, "pear with neck_radius_mm = 0"),
        ({"profile": "pear", "length_mm": 2.0, "neck_radius_mm": 2.5}, "pear with neck_radius_mm = 2.5"),
        ({"spindle_timeout_ms": 0.0}, "spindle_timeout_ms = 0"),
        ({"fastest_mm_s": -1.0}, "fastest_mm_s = -1"),
        ({"contact_mm_s": 0.0}, "contact_mm_s = 0"),
        ({"most_sd_mm": 0.0}, "most_sd_mm = 0"),
        ({"thin_wall_mm": 0.0}, "thin_wall_mm = 0"),
    ],
)
def test_what_is_no_cutter(cutter: dict[str, Any], words: str) -> None:
    with pytest.raises(InputRefused, match=words):
        drill_rig(**cutter)


def test_no_part_beside_a_cutter_is_called_as_the_bone_between() -> None:
    rig = drill_rig()
    wall = Part(name="wall", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, -9.0), radius_mm=1.0)
    with pytest.raises(InputRefused, match="part of tool 'drill' is called 'wall'"):
        msgspec.structs.replace(rig, tool=(msgspec.structs.replace(rig.tool[0], part=(*rig.tool[0].part, wall)),))
    assert subject_words("facial_nerve/drill/wall") == "bone between drill and facial nerve"


CUTTER_TEXT = """
[tool.cutter]
part = "burr"
profile = "pear"
radius_mm = 1.5
length_mm = 3.0
neck_radius_mm = 0.8
cuts = "contact-speed"
"""


def test_a_rig_file_names_its_cutter(tmp_path: Path) -> None:
    path = tmp_path / "rig.toml"
    path.write_text(RIG_TEXT + CUTTER_TEXT, encoding="utf-8")
    cutter = read_rig(path).tool[0].cutter
    assert cutter is not None
    assert (cutter.profile, cutter.cuts, cutter.neck_radius_mm, cutter.spindle_timeout_ms) == ("pear", "contact-speed", 0.8, 500.0)


@pytest.mark.parametrize(
    ("old", "new", "words"), [('"pear"', '"cone"', "'cone' is no profile"), ("length_mm", "lenght_mm", "did you mean 'length_mm'")]
)
def test_a_rig_file_that_misspells_it_is_refused(tmp_path: Path, old: str, new: str, words: str) -> None:
    path = tmp_path / "rig.toml"
    path.write_text(RIG_TEXT + CUTTER_TEXT.replace(old, new), encoding="utf-8")
    with pytest.raises(InputRefused, match=words):
        read_rig(path)
