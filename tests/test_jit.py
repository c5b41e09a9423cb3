"""What is compiled is kept so that no process ever runs code that was compiled for other types, or for another text."""

from __future__ import annotations

from pathlib import Path

import pytest
from numba import config
from numba.core.caching import IndexDataCacheFile

import navtwin.kernels.frame
import tracking.detect.edges
from navtwin.jit import NamedBySignature, _cache_folder, _sources, compiled, is_kept


def _raced(kind: type[IndexDataCacheFile], folder: Path) -> list[object]:
    """What a third process finds for two signatures that two others compiled at once: one of them saves while the other is between index and code."""
    one, other = (kind(str(folder), "kernel", "stamp") for _ in range(2))
    written, blind = one._save_data, other._load_index

    def late(name: str, data: object) -> None:
        other._load_index = dict
        other.save("b", "code for b")
        other._load_index = blind
        written(name, data)

    one._save_data = late
    one.save("a", "code for a")
    third = kind(str(folder), "kernel", "stamp")
    return [third.load("a"), third.load("b")]


def test_two_processes_that_compile_at_once_never_exchange_their_code(tmp_path: Path) -> None:
    found = _raced(NamedBySignature, tmp_path)
    assert found[0] in ("code for a", None) and found[1] in ("code for b", None)
    assert any(found), "one of them at least is kept"


def test_numbas_own_cache_does_exchange_it(tmp_path: Path) -> None:
    """Should this fail, Numba has mended it, and `NamedBySignature` can go."""
    assert _raced(IndexDataCacheFile, tmp_path)[1] == "code for a"


def test_a_signature_is_kept_and_written_over(tmp_path: Path) -> None:
    kept = NamedBySignature(str(tmp_path), "kernel", "stamp")
    kept.save(("float64", 1), "old")
    kept.save(("int64", 1), "other")
    kept.save(("float64", 1), "new")
    again = NamedBySignature(str(tmp_path), "kernel", "stamp")
    assert (again.load(("float64", 1)), again.load(("int64", 1)), again.load("none")) == ("new", "other", None)


@pytest.mark.parametrize(
    ("module", "called"),
    [(navtwin.kernels.frame, "navtwin/kernels/segment.py"), (tracking.detect.edges, "tracking/detect/squares.py")],
)
def test_a_changed_helper_starts_a_fresh_cache_for_its_callers(module: object, called: str) -> None:
    file = Path(str(module.__file__))  # type: ignore[attr-defined]
    sources = _sources(file, {})
    root = Path(__file__).parent.parent
    assert root / called in sources
    assert not any("nouns" in path.as_posix() or "pictures" in path.as_posix() for path in sources), "only what is compiled counts"
    assert Path(_cache_folder(file)).name.startswith(f"{file.stem}-")


def test_what_is_kept_is_known_before_it_is_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    kernel = compiled(_twice)
    assert not is_kept(kernel)
    assert kernel(2.0) == 4.0
    assert is_kept(compiled(_twice))


def _twice(x: float) -> float:
    return x + x
