"""Write tracker frames as MITK's NavigationData CSV, which its IGT player reads.

Format: MITK-IGT's mitkNavigationDataSetWriterCSV: fields end with `;`, time in ms, a quaternion with its scalar last, tools by number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from navtwin.nouns import Sighting, TrackerFrame

#: The columns of a tool; `{}` is its number.
COLUMNS: Final = tuple(f"{name}_Tool{{}}" for name in ("TimeStamp", "Valid", "X", "Y", "Z", "QX", "QY", "QZ", "QR"))
_UNSEEN: Final = ("0", "0", "0", "0", "0", "0", "0", "1")


def mitk_lines(frames: Iterable[TrackerFrame], bodies: Sequence[str]) -> Iterator[str]:
    """The lines of the file, without line ends; `bodies` become Tool0, Tool1 ... The time stamps are those of arrival."""
    yield "".join(f"{column.format(n)};" for n in range(len(bodies)) for column in COLUMNS)
    for frame in frames:
        seen = {sighting.body: sighting for sighting in frame.sightings}
        stamp = _milliseconds(frame.t_arrival_ns)
        yield "".join(f"{stamp};{';'.join(_cells(seen.get(body)))};" for body in bodies)


def _cells(sighting: Sighting | None) -> tuple[str, ...]:
    if sighting is None or sighting.pose is None:
        return _UNSEEN
    (x, y, z), (w, qx, qy, qz) = sighting.pose.t_mm, sighting.pose.q_wxyz
    return ("1", *map(repr, (x, y, z, qx, qy, qz, w)))


def _milliseconds(t_ns: int) -> str:
    """Exact decimal milliseconds."""
    whole, rest = divmod(abs(t_ns), 1_000_000)
    return f"{'-' if t_ns < 0 else ''}{whole}.{rest:06d}"
