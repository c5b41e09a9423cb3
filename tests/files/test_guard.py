"""Reading without harm, and writing whole files or none."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from navtwin.errors import InputRefused
from navtwin.files.guard import is_packed, read_bytes, read_head, read_text, read_xml
from navtwin.files.write import whole_file

BOMB = """<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><a>&c;</a>"""
THIEF = """<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>"""


def test_a_small_archive_cannot_swell(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(bytes(50_000_000)))
    assert path.stat().st_size < 100_000 and is_packed(path)
    assert read_head(path, 1000) == bytes(1000)


def test_what_is_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(11))
    assert read_bytes(tmp_path / "a", 11) == bytes(11)
    with pytest.raises(InputRefused, match="more than 10 bytes"):
        read_bytes(tmp_path / "a", 10)


@pytest.mark.parametrize(("content", "words"), [(None, "there is no file"), (b"\x1f\x8b\x08\x00cut", "cut, damaged")])
def test_what_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "a"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputRefused, match=words):
        read_head(path, 100)
    with pytest.raises(InputRefused, match="is a folder"):
        read_bytes(tmp_path, 100)


def test_text_is_utf8(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfgr\xc3\xbcn")
    assert read_text(tmp_path / "a") == "grün"
    (tmp_path / "b").write_bytes(b"gr\xfcn")
    with pytest.raises(InputRefused, match=r"not UTF-8 text \(byte 2\)"):
        read_text(tmp_path / "b")


@pytest.mark.parametrize("text", [BOMB, THIEF, "<!DOCTYPE a><a/>"])
def test_xml_that_reads_others_or_swells_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.xml").write_text(text, encoding="utf-8")
    with pytest.raises(InputRefused, match="DOCTYPE or entities"):
        read_xml(tmp_path / "a.xml")


@pytest.mark.parametrize("text", ["", "<a>", "<a></b>", "no", '<?xml version="1.0" encoding="klingon"?><a/>', "<a>\x00</a>"])
def test_xml_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.xml").write_text(text, encoding="utf-8")
    with pytest.raises(InputRefused, match="not well-formed"):
        read_xml(tmp_path / "a.xml")


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(RuntimeError), whole_file(path) as partial:
        partial.write_text("half", encoding="utf-8")
        raise RuntimeError
    assert path.read_text(encoding="utf-8") == "old"
    with whole_file(path) as partial:
        assert partial.parent == tmp_path and partial.suffix == ".txt"
        partial.write_text("new", encoding="utf-8")
        assert path.read_text(encoding="utf-8") == "old"
    assert path.read_text(encoding="utf-8") == "new"
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"]
    with pytest.raises(InputRefused, match="cannot write"), whole_file(tmp_path / "none" / "a.txt"):
        pytest.fail("the block is not entered")
