"""Inside `step` there is no clock, chance, BLAS, fastmath or set order (DESIGN section 4). Looked for in the syntax: no input need find it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.sources import called, dotted, files, imports, tree, where

#: Everything that runs inside `step`.
BONE = ("carvable", "trespassed", "bone_field", "bone_skin", "bone_state")
FOLD = files(
    "navtwin/twin", "navtwin/kernels", "navtwin/rigid.py", "navtwin/nouns", "navtwin/scene/model.py", *(f"navtwin/scene/{name}.py" for name in BONE)
)
#: Run once per process and by no frame: how kernels are compiled, and how a surface is prepared (its results are kept in the case's hash).
BEFORE_THE_FIRST_FRAME = {"navtwin/jit.py"}
#: Of Rigid: not for the fold, and says so.
OUTSIDE = {("navtwin/rigid.py", "from_matrix"), ("navtwin/rigid.py", "matrix"), ("navtwin/rigid.py", "apply")}

NO_MODULES = (
    "time",
    "random",
    "datetime",
    "secrets",
    "uuid",
    "os",
    "socket",
    "zmq",
    "threading",
    "asyncio",
    "multiprocessing",
    "subprocess",
    "scipy",
)
NO_CALLS = (
    "np.dot", "np.matmul", "np.einsum", "np.inner", "np.outer", "np.tensordot", "np.vdot", "np.kron", "np.sum", "np.mean", "np.std", "np.var",
    "np.sin", "np.cos", "np.tan", "np.exp", "np.log", "np.power", "np.arccos", "np.arcsin", "np.arctan2", "np.hypot", "np.cbrt",
    "math.sin", "math.cos", "math.tan", "math.exp", "math.log", "math.pow", "math.acos", "math.asin", "math.atan2", "math.hypot", "math.cbrt",
    "math.fsum", "pow", "hash", "id", "open", "input", "print",
)  # fmt: skip
NO_PACKAGES = ("np.random", "numpy.random", "np.linalg", "numpy.linalg")


def _functions(path: Path) -> Iterator[tuple[str, ast.AST]]:
    """Nodes of a file with the name of the function they stand in; what is outside the fold by name is left out."""
    name = path.as_posix()

    def walk(node: ast.AST, inside: str) -> Iterator[tuple[str, ast.AST]]:
        for child in ast.iter_child_nodes(node):
            within = child.name if isinstance(child, ast.FunctionDef) else inside
            if (name, within) not in OUTSIDE:
                yield within, child
                yield from walk(child, within)

    yield from walk(tree(path), "")


def _nodes() -> Iterator[tuple[Path, str, ast.AST]]:
    for path in FOLD:
        if path.as_posix() not in BEFORE_THE_FIRST_FRAME:
            for inside, node in _functions(path):
                yield path, inside, node


def test_no_clock_no_chance_no_sockets() -> None:
    strays = [
        f"{where(path, node)} imports {module}"
        for path in FOLD
        if path.as_posix() not in BEFORE_THE_FIRST_FRAME
        for node, module in imports(path)
        if module.split(".")[0] in NO_MODULES or module.startswith("numpy.random")
    ]
    assert not strays


def test_no_calls_whose_bits_or_answers_vary() -> None:
    found = []
    for path, inside, node in _nodes():
        if isinstance(node, ast.Call):
            name = called(node)
            if name in NO_CALLS or name.startswith(NO_PACKAGES):
                found.append(f"{where(path, node)} {name} in {inside}")
        elif isinstance(node, ast.Attribute) and dotted(node).startswith(NO_PACKAGES):
            found.append(f"{where(path, node)} {dotted(node)} in {inside}")
    assert not [line for line in found if not _prepares_a_surface(line)]


def _prepares_a_surface(line: str) -> bool:
    """Normals are made when a surface is loaded; only the sign of a distance depends on them, and it is exact at faces."""
    return line.startswith("navtwin/kernels/normals.py") and ("math.acos" in line or "math.atan2" in line)


def test_no_matrix_product_but_rigids() -> None:
    """`@` on arrays calls BLAS. Rigid's own product is written out, and its operands are named `T_...`."""
    strays = []
    for path, inside, node in _nodes():
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult) and not (_is_rigid(node.left) and _is_rigid(node.right)):
            strays.append(f"{where(path, node)} in {inside}: {ast.unparse(node)}")
        if isinstance(node, ast.Attribute) and node.attr == "dot":
            strays.append(f"{where(path, node)} in {inside}")
    assert not strays


def _is_rigid(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return _is_rigid(node.left) and _is_rigid(node.right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("inverse", "rigid"):
        return True
    return dotted(node).split(".")[-1].startswith("T_")


def test_no_sum_of_floats() -> None:
    """From Python 3.12 on `sum` compensates rounding, before it does not: the same log would give other bits."""
    sums = [
        f"{where(path, node)} in {inside}"
        for path, inside, node in _nodes()
        if isinstance(node, ast.Call) and called(node) == "sum" and not _is_count(node)
    ]
    # A noun's own check of its values decides by a tolerance and passes on no number.
    assert not [line for line in sums if "__post_init__" not in line]


def _is_count(node: ast.Call) -> bool:
    """`sum(len(x) for ...)` and `sum(int(x) for ...)`: whole numbers."""
    inner = node.args[0]
    return isinstance(inner, ast.GeneratorExp) and isinstance(inner.elt, ast.Call) and called(inner.elt) in ("len", "int")


def test_no_power_in_python() -> None:
    """Python's `**` on floats is libm's pow, which is no IEEE operation; compiled kernels turn `** 2` into a product."""
    powers = [
        f"{where(path, node)} in {inside}: {ast.unparse(node)}"
        for path, inside, node in _nodes()
        if isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Pow)
        and not (_is_compiled_square(path, node) or _is_power_of_two(node) or _is_whole(node))
    ]
    assert not powers


def _is_compiled_square(path: Path, node: ast.BinOp) -> bool:
    return path.parts[1] == "kernels" and isinstance(node.right, ast.Constant) and node.right.value == 2


@pytest.mark.parametrize("word", ["fastmath", "parallel"])
def test_no_fastmath_and_no_parallel_reduction(word: str) -> None:
    """`fastmath` makes `isnan` false; the order of a parallel sum is nobody's."""
    on = []
    for path in files("navtwin/kernels", "navtwin/twin"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.keyword) and node.arg == word and not (isinstance(node.value, ast.Constant) and node.value.value is False):
                on.append(where(path, node.value))
            if isinstance(node, ast.Name | ast.Attribute) and dotted(node).split(".")[-1] == "prange":
                on.append(where(path, node))
    assert not on


def test_kernels_are_compiled_in_one_way() -> None:
    """Numba's decorators are used in one file, which states the flags."""
    strays = [
        f"{where(path, node)} {module}"
        for path in files("navtwin")
        if path.as_posix() != "navtwin/jit.py"
        for node, module in imports(path)
        if module.startswith("numba") and module.split(".")[-1] in ("njit", "jit", "vectorize", "guvectorize", "stencil", "cfunc", "prange", "numba")
    ]
    assert not strays


def test_no_set_is_iterated() -> None:
    """The order of a set of strings differs between processes: a set may be asked, counted or sorted, never walked."""
    strays = []
    for path in FOLD:
        parents = {child: node for node in ast.walk(tree(path)) for child in ast.iter_child_nodes(node)}
        sets = [node for node in ast.walk(tree(path)) if _is_set(node)]
        strays += [f"{where(path, node)}: {ast.unparse(node)}" for node in sets if not _order_is_lost(node, parents)]
    assert not strays


def _is_set(node: ast.AST) -> bool:
    return isinstance(node, ast.Set | ast.SetComp) or (isinstance(node, ast.Call) and called(node) in ("set", "frozenset"))


def _order_is_lost(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether the set only ends in sorted(), len(), a test of membership or a truth value; or in a name that does."""
    above = parents.get(node)
    if isinstance(above, ast.BinOp | ast.IfExp | ast.BoolOp):
        return (isinstance(above, ast.IfExp) and above.test is node) or _order_is_lost(above, parents)
    if isinstance(above, ast.Call):
        return called(above) in ("sorted", "len", "min", "max", "bool")
    if isinstance(above, ast.Compare | ast.If):
        return True
    if isinstance(above, ast.Assign) and isinstance(above.targets[0], ast.Name):
        name, body = above.targets[0].id, parents[above]
        used = [n for n in ast.walk(body) if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]
        return all(_order_is_lost(n, parents) or isinstance(parents[n], ast.Compare) for n in used)
    # The test of a conditional expression, of a comprehension, or `x if s else y`.
    return isinstance(above, ast.comprehension) and node in above.ifs


def _is_whole(node: ast.BinOp) -> bool:
    """A grid's side, a constant that counts points, to a whole number that is written there: exact."""
    side = node.left.left if isinstance(node.left, ast.BinOp) and isinstance(node.left.op, ast.FloorDiv) else node.left
    return isinstance(side, ast.Name) and side.id in ("BRICK", "CUBES") and isinstance(node.right, ast.Constant)


def _is_power_of_two(node: ast.BinOp) -> bool:
    """2.0 to a whole number that is written there: exact."""
    exponent = node.right.operand if isinstance(node.right, ast.UnaryOp) else node.right
    return isinstance(node.left, ast.Constant) and node.left.value == 2.0 and isinstance(exponent, ast.Constant) and isinstance(exponent.value, int)
