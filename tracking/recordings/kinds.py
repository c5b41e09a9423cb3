"""The kinds of recordings of other programs, told apart by content."""

from __future__ import annotations

from pathlib import Path

from navtwin.errors import InputRefused
from navtwin.files.formats import HEAD_BYTES
from navtwin.files.guard import read_head
from navtwin.nouns import Rig
from tracking.recordings import header, mitk, sequence, tracks
from tracking.recordings.declared import words_of
from tracking.recordings.recording import Recording
from tracking.recordings.text_numbers import shown


def read_recording(path: Path, rig: Rig | None = None, columns: str | None = None) -> Recording:
    """Read a recording of another program.

    Parameters
    ----------
    columns : what the user declares of a file that does not say it: columns of a CSV, names of MITK's tools, or `to=tracker` for a sequence whose
        transforms say no frames

    Raises
    ------
    InputRefused : not a recording of a known kind, or one that cannot be placed
    """
    head = read_head(path, HEAD_BYTES)
    if header.looks_like(head) or head.startswith((b"ObjectType", b"NRRD000")):
        to = words_of(columns, frozenset(("to",)), "to=tracker").get("to") if columns else None
        if columns and to != "tracker":
            raise InputRefused(
                f"--columns '{shown(columns, 60)}' says nothing to a sequence", "it takes to=tracker: transforms that say no frames lead there"
            )
        return sequence.read_sequence(path, rig, plain_to_tracker=to is not None)
    if mitk.looks_like(head):
        return mitk.read_mitk(path, rig, columns)
    if columns or tracks.looks_like(head):
        return tracks.read_tracks(path, rig, columns)
    raise InputRefused(
        f"{path} is not a recording that navtwin knows", "it reads .mcap logs, .igs.mha and .igs.nrrd sequences, MITK's and declared CSV files"
    )
