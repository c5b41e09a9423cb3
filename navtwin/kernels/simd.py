"""Eight float32 numbers at a time: the instructions that the filters are written in.

`Lanes` is one LLVM vector `<8 x float>`: an AVX register, or two of SSE or NEON. Only what the filters need is here. Plain loops are no
substitute: LLVM unrolls a loop of eight before its vectoriser sees it.

A filter decides what is looked at more closely, never what the answer is: nothing here touches the bits of a result.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import types
from numba.extending import lower_builtin, models, register_model, type_callable

F32 = npt.NDArray[np.float32]
#: Writes the instructions of one call: (builder, *values) -> value.
Emit = Callable[..., Any]

WIDTH = 8
#: What empty lanes hold in place of infinity: its square is still a float32.
FAR = 1e15

_VECTOR = ir.VectorType(ir.FloatType(), WIDTH)


class _LanesType(types.Type):
    def __init__(self) -> None:
        super().__init__(name="Lanes")


@register_model(_LanesType)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, numba_type: _LanesType) -> None:
        super().__init__(manager, numba_type, _VECTOR)


_LANES = _LanesType()

if TYPE_CHECKING:

    class Lanes:
        """Eight float32 numbers. They live inside kernels only, with + - * / between them."""

        def __add__(self, other: Lanes) -> Lanes: ...
        def __sub__(self, other: Lanes) -> Lanes: ...
        def __mul__(self, other: Lanes) -> Lanes: ...
        def __truediv__(self, other: Lanes) -> Lanes: ...

else:
    Lanes = _LanesType


# What kernels call. In plain Python these say only what they mean; `_compiles_to` below gives them to the compiler.


def _outside() -> NoReturn:
    raise TypeError("lanes live inside kernels only")


def splat(x: float) -> Lanes:
    """The same number, rounded to float32, in all lanes."""
    _outside()


def load(flat: F32, at: int) -> Lanes:
    """flat[at : at + 8] of a contiguous array."""
    _outside()


def store(flat: F32, at: int, a: Lanes) -> None:
    """Write flat[at : at + 8]."""
    _outside()


def lower(a: Lanes, b: Lanes) -> Lanes:
    """The smaller of each two."""
    _outside()


def upper(a: Lanes, b: Lanes) -> Lanes:
    """The larger of each two."""
    _outside()


def root(a: Lanes) -> Lanes:
    """Square roots."""
    _outside()


def choose(a: Lanes, b: Lanes, if_at_most: Lanes, otherwise: Lanes) -> Lanes:
    """`if_at_most` where a <= b, else `otherwise`."""
    _outside()


def at_most(a: Lanes, b: Lanes) -> int:
    """Bit k says that a <= b in lane k; 0 where either is NaN."""
    _outside()


def lowest(a: Lanes) -> float:
    """The smallest of the eight."""
    _outside()


def first_bit(bits: int) -> int:
    """Number of the lowest bit set; bits must not be 0."""
    _outside()


def prefetch(flat: F32, at: int) -> None:
    """Ask for the cache line of flat[at], which will soon be read."""
    _outside()


def _compiles_to(function: Callable[..., Any], result: types.Type, *arguments: type[types.Type]) -> Callable[[Emit], Emit]:
    """Tell Numba that `function` of arguments of these classes gives `result` by the instructions that the decorated one emits."""

    def register(emit: Emit) -> Emit:
        def typed(*given: types.Type) -> types.Type | None:
            return result if all(isinstance(g, a) for g, a in zip(given, arguments, strict=True)) else None

        # Numba reads the number of arguments off the signature.
        names = [inspect.Parameter(f"a{k}", inspect.Parameter.POSITIONAL_OR_KEYWORD) for k in range(len(arguments))]
        setattr(typed, "__signature__", inspect.Signature(names))  # noqa: B010 - mypy knows no such attribute

        def lowered(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            places = (_data(context, builder, t, v) if isinstance(t, types.Array) else v for t, v in zip(signature.args, values, strict=True))
            given = (builder.fptrunc(v, ir.FloatType()) if t == types.float64 else v for t, v in zip(signature.args, places, strict=True))
            emitted = emit(builder, *given)
            return context.get_dummy_value() if result == types.none else emitted

        type_callable(function)(lambda context: typed)
        lower_builtin(function, *arguments)(lowered)
        return emit

    return register


def _data(context: Any, builder: Any, array_type: Any, value: Any) -> Any:
    return context.make_array(array_type)(context, builder, value).data


def _place(builder: Any, data: Any, at: Any) -> Any:
    return builder.bitcast(builder.gep(data, [at]), _VECTOR.as_pointer())


def _elementwise(builder: Any, name: str, *values: Any) -> Any:
    function = builder.module.declare_intrinsic(f"llvm.{name}.v{WIDTH}f32", fnty=ir.FunctionType(_VECTOR, [_VECTOR] * len(values)))
    return builder.call(function, values)


for _operation, _name in ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul"), (operator.truediv, "fdiv")):
    _compiles_to(_operation, _LANES, _LanesType, _LanesType)(lambda builder, a, b, name=_name: getattr(builder, name)(a, b))


@_compiles_to(splat, _LANES, types.Float)
def _splat(builder: Any, x: Any) -> Any:
    one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), x, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), zeros)


@_compiles_to(load, _LANES, types.Array, types.Integer)
def _load(builder: Any, data: Any, at: Any) -> Any:
    return builder.load(_place(builder, data, at), align=4)


@_compiles_to(store, types.none, types.Array, types.Integer, _LanesType)
def _store(builder: Any, data: Any, at: Any, a: Any) -> None:
    builder.store(a, _place(builder, data, at), align=4)


@_compiles_to(lower, _LANES, _LanesType, _LanesType)
def _lower(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered("<", a, b), a, b)


@_compiles_to(upper, _LANES, _LanesType, _LanesType)
def _upper(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


@_compiles_to(root, _LANES, _LanesType)
def _root(builder: Any, a: Any) -> Any:
    return _elementwise(builder, "sqrt", a)


@_compiles_to(choose, _LANES, _LanesType, _LanesType, _LanesType, _LanesType)
def _choose(builder: Any, a: Any, b: Any, if_at_most: Any, otherwise: Any) -> Any:
    return builder.select(builder.fcmp_ordered("<=", a, b), if_at_most, otherwise)


@_compiles_to(at_most, types.int64, _LanesType, _LanesType)
def _at_most(builder: Any, a: Any, b: Any) -> Any:
    bits = builder.bitcast(builder.fcmp_ordered("<=", a, b), ir.IntType(WIDTH))
    return builder.zext(bits, ir.IntType(64))


@_compiles_to(lowest, types.float32, _LanesType)
def _lowest(builder: Any, a: Any) -> Any:
    for step in (4, 2, 1):
        order = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [(k + step) % WIDTH for k in range(WIDTH)])
        a = _lower(builder, a, builder.shuffle_vector(a, a, order))
    return builder.extract_element(a, ir.Constant(ir.IntType(32), 0))


@_compiles_to(first_bit, types.int64, types.Integer)
def _first_bit(builder: Any, bits: Any) -> Any:
    return builder.cttz(bits, ir.Constant(ir.IntType(1), 1))


@_compiles_to(prefetch, types.none, types.Array, types.Integer)
def _prefetch(builder: Any, data: Any, at: Any) -> None:
    byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
    function = builder.module.declare_intrinsic("llvm.prefetch.p0", fnty=ir.FunctionType(ir.VoidType(), [byte, number, number, number]))
    read, keep, of_data = ir.Constant(number, 0), ir.Constant(number, 3), ir.Constant(number, 1)
    builder.call(function, [builder.bitcast(builder.gep(data, [at]), byte), read, keep, of_data])
