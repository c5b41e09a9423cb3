"""Drilling on the wire: the cutter that a rig declares, what the twin says of the bone that is left, and a drilled state to start from."""

from __future__ import annotations

from typing import Literal

from navtwin.nouns.base import Noun
from navtwin.rigid import Vec3

Profile = Literal["sphere", "cylinder", "pear"]
CutsBy = Literal["spindle", "contact-speed"]
#: OFF: it says that it stands. READY: it turns, in no bone. CUTTING. FROZEN: it may cut, and the twin does not follow. UNKNOWN: it does not say.
DrillStatus = Literal["OFF", "READY", "CUTTING", "FROZEN", "UNKNOWN"]
#: NO_BONE: there is none between. UNKNOWN: bone that the twin shows there may be gone. FAR: farther than is looked.
WallStatus = Literal["OK", "NO_BONE", "UNKNOWN", "FAR"]
#: The last piece of the id of an alert of bone that is thin, where other alerts name a part.
WALL = "wall"
#: A wall is alerted where no more air than this, mm, is before it: a cutter farther off does not thin it.
WALL_AIR_MM = 3.0
#: Rows r00 r01 r02 t0 r10 .. t2 of T_ct_from_tip: to the bit, as a stroke must be repeated.
PoseRows = tuple[float, float, float, float, float, float, float, float, float, float, float, float]


class Cutter(Noun, frozen=True):
    """The end of a tool that takes bone away: a solid of revolution about the tip's Z axis. Lengths in mm, tip axes.

    Attributes
    ----------
    part : the tool's part that it is, whose distances are judged
    profile : `sphere` about the tip; `cylinder`, flat at both ends, half its length before and half behind the tip;
        `pear`: the hull of that ball and one of `neck_radius_mm` that lies `length_mm` behind it
    cuts : it cuts while the drill says that it turns, or, a declared fallback, wherever it is in bone and slower than `contact_mm_s`
    spindle_timeout_ms : a drill that has not said for so long whether it turns is not known to turn or stand
    fastest_mm_s : a faster move is no hand's: it is not cut along
    most_sd_mm : with its place less certain than this, one standard deviation, nothing is cut
    thin_wall_mm : less bone than this between the cutter and a critical structure is a caution
    """

    part: str
    profile: Profile
    radius_mm: float
    length_mm: float = 0.0
    neck_radius_mm: float = 0.0
    cuts: CutsBy = "spindle"
    spindle_timeout_ms: float = 500.0
    fastest_mm_s: float = 400.0
    contact_mm_s: float = 60.0
    most_sd_mm: float = 1.0
    thin_wall_mm: float = 1.0


class Wall(Noun, frozen=True):
    """The bone that is left between a cutter, enlarged by its error bar, and a critical structure, on the straight way between them.

    Attributes
    ----------
    thickness_mm : of the bone on that way; None unless status is OK
    from_mm, to_mm : the way, ct
    """

    structure: str
    status: WallStatus
    thickness_mm: float | None = None
    from_mm: Vec3 | None = None
    to_mm: Vec3 | None = None


class DrillState(Noun, frozen=True):
    """One tool with a cutter, in one frame.

    Attributes
    ----------
    why : of FROZEN and UNKNOWN, in words
    by : how the twin tells that it cuts
    stretch : number of the stretch that is being cut, or was last: from where it began to cut to where it stopped; 0 before the first
    walls : one for each critical structure within reach
    """

    instrument: str
    status: DrillStatus
    by: CutsBy
    why: str = ""
    stretch: int = 0
    walls: tuple[Wall, ...] = ()


class Trespass(Noun, frozen=True):
    """Volume of a critical structure that the cutter has been in while it cut, mm^3. The twin never takes it away."""

    structure: str
    volume_mm3: float


class BoneSummary(Noun, frozen=True):
    """A structure that can be drilled, as it is now.

    Attributes
    ----------
    side_mm : between the points of its grid
    removed_mm3 : since it was whole
    hash : of its grid, 16 hexadecimal digits: equal where the bone is
    changed : bricks that are not as they were when it was whole
    undone : how many stretches have been taken back
    doubtful : share of the changed part, 0 to 1, where bone that is shown may be gone
    paused_by : who has stopped the twin from following the drill; "" while it follows
    """

    structure: str
    side_mm: float
    removed_mm3: float
    hash: str
    changed: int
    undone: int = 0
    doubtful: float = 0.0
    trespasses: tuple[Trespass, ...] = ()
    paused_by: str = ""


class Carved(Noun, frozen=True, tag_field="kind", tag="carved"):
    """One stroke that was cut (topic `carved`): with what is in the log before it, enough to cut it again, to the bit.

    Attributes
    ----------
    earlier, now : T_ct_from_tip at both ends
    removed_mm3 : by this stroke
    hash : of the bone after it
    """

    structure: str
    instrument: str
    stretch: int
    earlier: PoseRows
    now: PoseRows
    removed_mm3: float
    hash: str


class BoneUndone(Noun, frozen=True, tag_field="kind", tag="bone-undone"):
    """A stretch was taken back (topic `carved`): the bone is again as it was before `stretch` began."""

    structure: str
    stretch: int
    hash: str


class BoneState(Noun, frozen=True, tag_field="kind", tag="bone-state"):
    """Drilled bone: to start a session from (an input of the fold), and as it is kept in a log so that seeking is quick.

    Attributes
    ----------
    case_hash, structure, side_mm : whose bone it is; no other takes it
    bricks : numbers of the bricks that differ from the whole bone, ascending
    cells : their cells, 4096 int8 each in that order, and behind them 8 bytes a brick that say which of its 64 blocks are doubtful; zlib
    removed_mm3 : since it was whole
    trespasses : so far
    stretch : number of the last stretch
    hash : of the grid
    session : where it comes from
    """

    case_hash: str
    structure: str
    side_mm: float
    bricks: tuple[int, ...]
    cells: bytes
    removed_mm3: float
    hash: str
    session: str
    stretch: int = 0
    undone: int = 0
    trespasses: tuple[Trespass, ...] = ()
