"""The process that reads an HDF5 file of transforms: `python -m navtwin.exchange.hdf5_child FILE` prints JSON. Nothing else may use it."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from navtwin.exchange.hdf5 import FIXED, GROUP, PARAMETERS, Found
from navtwin.exchange.itk import COMPOSITE, MOST_PARTS

#: Address space of the process; the library itself takes some 300 MB of it.
MOST_MEMORY: Final = 2 * 1024**3
#: Processor time, s; reading takes a tenth of it.
MOST_SECONDS: Final = 2
#: More numbers has no linear transform.
MOST_NUMBERS: Final = 64
MOST_WORD: Final = 200
#: HDF5's numbers of the filters that may stand before numbers: deflate, shuffle, checksum.
_FILTERS: Final = (1, 2, 3)


def main(path: Path) -> None:
    """Read one file and print what was found."""
    bound()
    sys.stdout.buffer.write(msgspec.json.encode(read(path)))


def bound() -> None:
    """Bound this process's memory and time; where the system has no such bounds (Windows), the parent's time-out is left."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))


def read(path: Path) -> Found:
    """The transforms of a file, or why not."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            groups = _group(h5py, file, GROUP)
            names = [str(n) for n in range(len(groups))]
            if not names or len(names) > MOST_PARTS + 1 or any(name not in groups for name in names):
                raise ValueError(f"{GROUP} holds {len(names)} transforms that are not numbered from 0 to at most {MOST_PARTS}")
            return Found([_transform(h5py, _group(h5py, groups, name)) for name in names])
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, MemoryError, OverflowError, AttributeError, RecursionError) as error:
        return Found(problem=" ".join(str(error).split())[:200] or type(error).__name__)


def _transform(h5py: Any, group: Any) -> tuple[str, list[float], list[float]]:
    word = _word(_dataset(h5py, group, "TransformType"))
    if word.startswith(COMPOSITE):
        return word, [], []
    there = [name for name in (*PARAMETERS, *FIXED) if group.id.links.exists(name.encode())]
    parameters, fixed = ([_dataset(h5py, group, name) for name in there if name in names] for names in (PARAMETERS, FIXED))
    if not parameters:
        raise ValueError(f"a {word} has no {PARAMETERS[0]}")
    return word, _numbers(parameters[0]), _numbers(fixed[0]) if fixed else []


def _own(h5py: Any, parent: Any, name: str) -> Any:
    """What lies under a name in this very file: a link may lead to any file that this user can read."""
    if not parent.id.links.exists(name.encode()) or parent.id.links.get_info(name.encode()).type != h5py.h5l.TYPE_HARD:
        raise ValueError(f"it has no {name} of its own")
    return parent[name]


def _group(h5py: Any, parent: Any, name: str) -> Any:
    found = _own(h5py, parent, name)
    if not isinstance(found, h5py.Group):
        raise ValueError(f"{name} is no group")
    return found


def _dataset(h5py: Any, parent: Any, name: str) -> Any:
    found = _own(h5py, parent, name)
    if not isinstance(found, h5py.Dataset) or found.is_virtual or found.external:
        raise ValueError(f"{name} holds no numbers of its own")
    layout = found.id.get_create_plist()
    filters = [layout.get_filter(n)[0] for n in range(layout.get_nfilters())]
    if any(number not in _FILTERS for number in filters):
        raise ValueError(f"{name} is packed in a way that is not read")
    if found.size is None or found.size > MOST_NUMBERS:
        raise ValueError(f"{name} holds {found.size} values, more than a linear transform has")
    return found


def _word(found: Any) -> str:
    if found.dtype.kind not in "OS" or found.size != 1:
        raise ValueError("TransformType is no word")
    value = found[()] if found.shape == () else found[(0,) * len(found.shape)]
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)
    return text[:MOST_WORD]


def _numbers(found: Any) -> list[float]:
    if found.dtype.kind != "f" or found.dtype.itemsize > 8:
        raise ValueError("parameters are not floating-point numbers")
    # JSON has no NaN.
    values = [float(v) for v in found[()].ravel()]
    if any(not math.isfinite(v) for v in values):
        raise ValueError("parameters hold NaN or infinite values")
    return values


if __name__ == "__main__":
    main(Path(sys.argv[1]))
