"""Laws of the text itself: sizes, names, what is refused on sight (DESIGN sections 3, 4 and 8)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from navtwin import errors
from tests.contracts.sources import ROOMS, ROOT, called, files, imports, tree, where

LONGEST = 400
#: Names in which a 2 is a number.
TWO_IS_A_NUMBER = re.compile(r"atan2|arctan2|log2|exp2|chi2")
OWN = (*ROOMS, "tests", "benchmarks", "nav.py")


def test_no_file_is_too_long() -> None:
    lengths = {path.as_posix(): len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in files(*OWN)}
    assert not {name: length for name, length in lengths.items() if length > LONGEST}


def _handlers(path: Path) -> Iterator[ast.ExceptHandler]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.ExceptHandler))


def test_no_error_is_swallowed() -> None:
    """`except Exception: pass` in any spelling: a broad handler must do something with what it caught."""
    broad = ("Exception", "BaseException")
    swallowed = []
    for path in files(*ROOMS):
        for handler in _handlers(path):
            is_broad = handler.type is None or (isinstance(handler.type, ast.Name) and handler.type.id in broad)
            says_nothing = all(isinstance(line, ast.Pass | ast.Continue) or (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))
                               for line in handler.body)  # fmt: skip
            if handler.type is None or (is_broad and says_nothing):
                swallowed.append(where(path, handler))
        calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call) and called(node).endswith("suppress")]
        swallowed += [where(path, node) for node in calls if any(isinstance(a, ast.Name) and a.id in broad for a in node.args)]
    assert not swallowed


def test_no_pickle() -> None:
    """Neither on the wire nor in a file; `numpy.load` may only read plain arrays."""
    pickles = [
        f"{where(path, node)}: {module}"
        for path in files(*ROOMS)
        for node, module in imports(path)
        if module.split(".")[0] in ("pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib")
    ]
    for path in files(*ROOMS):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call):
                name = called(node)
                if name.endswith(("send_pyobj", "recv_pyobj")) or any(k.arg == "allow_pickle" and not _is_false(k.value) for k in node.keywords):
                    pickles.append(where(path, node))
    assert not pickles


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def test_transforms_are_never_named_with_a_2() -> None:
    """`T_ct_from_tip` reads as a sentence; `tip2ct` does not say which way round it multiplies."""
    named = [(path, node, name) for path in files(*OWN) for node in ast.walk(tree(path)) for name in _names(node) if not name.startswith("test_")]
    pattern = re.compile(r"[A-Za-z]_?2_?[A-Za-z]")
    assert not [f"{where(path, node)}: {name}" for path, node, name in named if pattern.search(TWO_IS_A_NUMBER.sub("", name))]


def _names(node: ast.AST) -> Iterator[str]:
    """The names that we give; those of other libraries are theirs."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        yield node.attr
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name


def test_every_refusal_names_its_remedy() -> None:
    """A person who is refused is told what is wrong and what to do about it: two arguments, neither empty."""
    kinds = {name for name, thing in vars(errors).items() if isinstance(thing, type) and issubclass(thing, errors.NavtwinError)}
    lacking = []
    for path in files(*ROOMS):
        for node in ast.walk(tree(path)):
            if not (isinstance(node, ast.Call) and called(node).split(".")[-1] in kinds):
                continue
            texts = [*node.args, *(k.value for k in node.keywords)]
            empty = any(isinstance(text, ast.Constant) and not str(text.value).strip() for text in texts)
            if len(texts) < 2 or empty:
                lacking.append(where(path, node))
    assert not lacking


def test_a_refusal_is_one_line() -> None:
    several = []
    kinds = {name for name, thing in vars(errors).items() if isinstance(thing, type) and issubclass(thing, errors.NavtwinError)}
    for path in files(*ROOMS):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and called(node).split(".")[-1] in kinds:
                several += [where(path, node) for text in ast.walk(node) if isinstance(text, ast.Constant) and "\n" in str(text.value)]
    assert not several


def test_nothing_is_left_to_do() -> None:
    words = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError")
    left = [
        f"{path.as_posix()}:{number}"
        for path in files(*ROOMS, "benchmarks", "nav.py")
        for number, line in enumerate((ROOT / path).read_text(encoding="utf-8").splitlines(), start=1)
        if words.search(line)
    ]
    assert not left


def test_no_class_is_a_manager_handler_or_utils() -> None:
    pattern = re.compile(r"(Manager|Handler|Utils?|Helper)$")
    assert not [
        f"{where(path, node)}: {node.name}"
        for path in files(*ROOMS)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and pattern.search(node.name)
    ]
    assert not [path for path in files(*ROOMS) if re.search(r"(manager|handlers?|utils?|helpers?|misc)$", path.stem)]


def test_time_stamps_are_integers() -> None:
    """No public field ends in `_ns` and is a float: checked on annotations, wherever they stand."""
    floats = []
    for path in files(*ROOMS):
        for node in ast.walk(tree(path)):
            target = node.target if isinstance(node, ast.AnnAssign) else node if isinstance(node, ast.arg) else None
            annotation = getattr(node, "annotation", None)
            name = getattr(target, "id", getattr(target, "arg", ""))
            if name.endswith("_ns") and annotation is not None and "float" in ast.unparse(annotation):
                floats.append(where(path, node))
    assert not floats
