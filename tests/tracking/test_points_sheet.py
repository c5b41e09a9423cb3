"""The printed sheet of points: on paper where the artefact says, and touched before the rendered camera from a shell's commands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from navtwin.assess.sheet import printed_sheet
from navtwin.errors import InputRefused
from phantoms.camera.device import open_camera
from tracking.commands.markers import markers_app
from tracking.kit.page import Ink, Words
from tracking.kit.points import points_page


@pytest.mark.parametrize("paper", ["A4", "A3", "Letter"])
def test_dots_are_as_far_apart_as_the_artefact_says(paper: str) -> None:
    page, sheet = points_page(printed_sheet(), paper), printed_sheet()
    dots = np.array([item.loops[0].mean(axis=0) for item in page.items if isinstance(item, Ink)])
    assert dots - dots[0] == pytest.approx(sheet.positions_mm()[:, :2] - sheet.positions_mm()[0, :2], abs=1e-9)
    names = [item.text for item in page.items if isinstance(item, Words) and item.text in sheet.names]
    assert names == list(sheet.names)
    low, high = dots.min(axis=0), dots.max(axis=0)
    assert (low > 19.0).all() and high[0] < page.width_mm - 8.0 and high[1] < page.check[1]


def test_paper_that_is_too_small_is_refused() -> None:
    with pytest.raises(InputRefused, match="too small"):
        points_page(printed_sheet(), "A5")


def test_the_command_writes_page_and_places_and_nothing_over_them(tmp_path: Path) -> None:
    words = ["points", "--out", str(tmp_path / "p.pdf"), "--artefact", str(tmp_path / "p.toml")]
    assert CliRunner().invoke(markers_app, words).exit_code == 0
    assert (tmp_path / "p.pdf").read_bytes().startswith(b"%PDF")
    refused = CliRunner().invoke(markers_app, words)
    assert isinstance(refused.exception, InputRefused) and "--force" in str(refused.exception)


@pytest.mark.parametrize(("address", "words"), [("assess?places=attic", "attic"), ("assess?repeats=1", "repeats=1"), ("board?points=5", "points")])
def test_the_script_refuses_what_it_cannot_film(address: str, words: str) -> None:
    with pytest.raises(InputRefused, match=words):
        open_camera(address)
