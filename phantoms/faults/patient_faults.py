"""Rows of the table: what goes wrong between the patient, the instruments and the files of both."""

from __future__ import annotations

from phantoms.faults.fault import Fault, Signal
from phantoms.faults.limits import SEEN_MS, WHY_SEEN

_COMMAND_MS = 60_000.0
_WHY_COMMAND = "before any session: the command answers"

PATIENT_FAULTS = (
    Fault(
        "reference-bumped",
        "patient",
        "The reference is knocked by 6 to 10 mm while the drill is away; no residual can see it.",
        "a live stream of frames, and a touch of a landmark",
        Signal("alarm", ("CHECK_FAILED",)),
        SEEN_MS,
        f"from the end of the touch that finds it: {WHY_SEEN}",
        "until a landmark is touched all goes on; the screen says when it was last verified",
    ),
    Fault(
        "verify-due",
        "patient",
        "Nobody touches a landmark for longer than the rig's verify_every_min.",
        "a live session",
        Signal("alarm", ("VERIFY_DUE",), ("min ago",)),
        SEEN_MS,
        f"from the age limit: {WHY_SEEN}",
        "it stays until a landmark is touched and found good",
    ),
    Fault(
        "level-off",
        "patient",
        "All landmarks are touched one vertebra too high.",
        "touches in a live session with the real registration",
        Signal("refused", words=("level",)),
        60_000.0,
        "the registration's own time, then the answer to Accept",
        "the gate names the rivals and wants the level that was touched; then LEVEL_UNCONFIRMED until a check point is touched",
    ),
    Fault(
        "wrong-tool",
        "patient",
        "Another instrument hangs on the drill's marker body: its tip lies 3 to 15 mm off.",
        "a pivot in a live session",
        Signal("refused", words=("right tool",)),
        SEEN_MS,
        f"the answer to Accept: {WHY_SEEN}",
        "the tip known so far stays in use, or the operator says that the tool was changed",
    ),
    Fault(
        "stale-calibration",
        "patient",
        "The rig's calibration is older than its age limit.",
        "the rig file of a live session",
        Signal("alarm", ("CALIBRATION_OLD",)),
        1000.0,
        "from the session's begin: the first alert sets",
        "it stays until calibrated anew",
    ),
)

FILE_FAULTS = (
    Fault(
        "wrong-case",
        "files",
        "A structure of another patient lies in the case.",
        "a case folder, `navtwin case check`",
        Signal("refused"),
        _COMMAND_MS,
        _WHY_COMMAND,
        "the finding names the structure; the case is not opened",
    ),
    Fault(
        "mirror",
        "files",
        "A structure is mirrored, left for right.",
        "a case folder, `navtwin case check`",
        Signal("refused"),
        _COMMAND_MS,
        _WHY_COMMAND,
        "the finding names the structure",
    ),
    Fault(
        "ras-for-lps",
        "files",
        "A mesh in RAS is put into the case as LPS.",
        "a case folder, `navtwin case check`",
        Signal("refused"),
        _COMMAND_MS,
        _WHY_COMMAND,
        "the finding names the structure",
    ),
    Fault(
        "mm-for-metres",
        "files",
        "A mesh in millimetres is taken for metres, or the other way round.",
        "a case folder, `navtwin case check`",
        Signal("refused"),
        _COMMAND_MS,
        _WHY_COMMAND,
        "the finding names the structure",
    ),
    Fault(
        "log-truncated",
        "files",
        "The end of a log is cut off.",
        "a log, `navtwin verify`",
        Signal("refused", words=("navtwin recover",)),
        _COMMAND_MS,
        _WHY_COMMAND,
        "`navtwin recover` makes a log of what is left, which `verify` passes",
    ),
    Fault(
        "log-flipped",
        "files",
        "Bits of a log are flipped.",
        "a log, `navtwin verify`",
        Signal("refused"),
        _COMMAND_MS,
        _WHY_COMMAND,
        "the damaged place is named; nothing is replayed from it in silence",
    ),
)
