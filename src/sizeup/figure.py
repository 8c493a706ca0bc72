"""Numbers that remember how they were made.

A formula in sizeup is ordinary Python over *numbers of some kind*: plain `int` (the answer), `Figure` (the answer with
its derivation) or a numpy column (many answers at once). It is written once; the argument decides. The law, kept by a
property test over every `@step`: int == Figure == column.

A formula never branches on a number. It uses `least`, `most`, `where`, `ceil_div` and `round_up` instead.
numpy is never imported here: a column can only arrive when somebody else has already imported it.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import operator
import sys
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeAlias, TypeVar, cast

Number: TypeAlias = Any
"""`int`, `float`, `Figure` or a numpy array; formulas accept and return any of them."""

P = ParamSpec("P")
R = TypeVar("R")


class Figure:
    """A number and its derivation: a leaf has `name` and `source`, a step has `name` and the figure it came from.

    Compares and hashes by value, so tests may say `figure == 12`. Arithmetic returns new figures.
    """

    __slots__ = ("args", "name", "op", "source", "value")

    def __init__(self, value: int | float, op: str = "leaf", args: tuple[Any, ...] = (), name: str = "", source: Any = None) -> None:
        self.value = value
        self.op = op
        self.args = args
        self.name = name
        self.source = source

    def __repr__(self) -> str:
        return f"Figure({self.name or self.op}={self.value!r})"

    def __int__(self) -> int:
        return int(self.value)

    def __index__(self) -> int:
        return operator.index(self.value)  # type: ignore[arg-type]

    def __float__(self) -> float:
        return float(self.value)

    def __eq__(self, other: object) -> bool:
        return bool(self.value == plain(other))

    def __hash__(self) -> int:
        return hash(self.value)

    def __lt__(self, other: Number) -> bool:
        return bool(self.value < plain(other))

    def __le__(self, other: Number) -> bool:
        return bool(self.value <= plain(other))

    def __gt__(self, other: Number) -> bool:
        return bool(self.value > plain(other))

    def __ge__(self, other: Number) -> bool:
        return bool(self.value >= plain(other))

    def __bool__(self) -> bool:
        return bool(self.value)

    def __add__(self, other: Number) -> Figure:
        return _binary("+", operator.add, self, other)

    def __radd__(self, other: Number) -> Figure:
        return _binary("+", operator.add, other, self)

    def __sub__(self, other: Number) -> Figure:
        return _binary("-", operator.sub, self, other)

    def __rsub__(self, other: Number) -> Figure:
        return _binary("-", operator.sub, other, self)

    def __mul__(self, other: Number) -> Figure:
        return _binary("×", operator.mul, self, other)

    def __rmul__(self, other: Number) -> Figure:
        return _binary("×", operator.mul, other, self)

    def __floordiv__(self, other: Number) -> Figure:
        return _binary("//", operator.floordiv, self, other)

    def __rfloordiv__(self, other: Number) -> Figure:
        return _binary("//", operator.floordiv, other, self)

    def __truediv__(self, other: Number) -> Figure:
        return _binary("÷", operator.truediv, self, other)

    def __rtruediv__(self, other: Number) -> Figure:
        return _binary("÷", operator.truediv, other, self)

    def __mod__(self, other: Number) -> Figure:
        return _binary("mod", operator.mod, self, other)

    def __rmod__(self, other: Number) -> Figure:
        return _binary("mod", operator.mod, other, self)

    def __pow__(self, other: Number) -> Figure:
        return _binary("^", operator.pow, self, other)

    def __rpow__(self, other: Number) -> Figure:
        return _binary("^", operator.pow, other, self)

    def __neg__(self) -> Figure:
        return Figure(-self.value, "neg", (self,))

    def walk(self) -> Iterator[Figure]:
        """This figure and every figure below it, each once, children after parents."""
        seen: set[int] = set()
        stack: list[Figure] = [self]
        while stack:
            figure = stack.pop()
            if id(figure) in seen:
                continue
            seen.add(id(figure))
            yield figure
            stack.extend(a for a in reversed(figure.args) if isinstance(a, Figure))


def _binary(symbol: str, apply: Callable[[Any, Any], Any], left: Number, right: Number) -> Figure:
    return Figure(apply(plain(left), plain(right)), symbol, (left, right))


def plain(number: Number) -> Any:
    """The bare value: an `int` or `float` for a figure, anything else unchanged."""
    return number.value if isinstance(number, Figure) else number


def leaf(name: str, value: int | float, source: Any = None) -> Figure:
    """A named input of a derivation: what it is called and where it is from."""
    return Figure(value, "leaf", (), name, source)


STEPS: dict[str, Callable[..., Any]] = {}
"""Every named step of every formula, by name; the law test walks it and i18n must name each."""


def step(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Name a formula. Called with figures it adds one named node to the derivation; with plain numbers it costs nothing."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def named(*args: P.args, **kwargs: P.kwargs) -> R:
            result = function(*args, **kwargs)
            if isinstance(result, Figure):
                return cast(R, Figure(result.value, "step", (result,), name))
            return result

        STEPS[name] = named
        return named

    return decorate


def traced(thing: R, source: Any = None, prefix: str = "") -> R:
    """A copy of a frozen dataclass whose `int` fields are leaves, so that formulas over it explain themselves.

    Booleans, strings and nested dataclasses are kept; nested dataclasses can be traced by their owner.
    """
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(cast(Any, thing)):
        value = getattr(thing, field.name)
        if type(value) is int:
            changes[field.name] = leaf(prefix + field.name, value, source)
    return cast(R, dataclasses.replace(cast(Any, thing), **changes))


def _columns(numbers: tuple[Number, ...]) -> Any:
    numpy = sys.modules.get("numpy")
    if numpy is not None and any(isinstance(n, numpy.ndarray) for n in numbers):
        return numpy
    return None


def all_ints(numbers: tuple[Number, ...]) -> bool:
    """Whether these are bare ints, which need none of what figures and columns do: most calls are of this kind."""
    for number in numbers:  # noqa: SIM110 - a generator costs more than what this saves
        if type(number) is not int:
            return False
    return True


def is_column(number: Any) -> bool:
    """Whether this is a numpy column: many answers at once."""
    return _columns((number,)) is not None


def most(*numbers: Number) -> Number:
    """The largest of its arguments: a peak over phases."""
    if all_ints(numbers):
        return max(numbers)
    if (numpy := _columns(numbers)) is not None:
        return functools.reduce(numpy.maximum, numbers)
    if any(isinstance(n, Figure) for n in numbers):
        return Figure(max(plain(n) for n in numbers), "max", numbers)
    return max(numbers)


def least(*numbers: Number) -> Number:
    """The smallest of its arguments: a limit over limits."""
    if all_ints(numbers):
        return min(numbers)
    if (numpy := _columns(numbers)) is not None:
        return functools.reduce(numpy.minimum, numbers)
    if any(isinstance(n, Figure) for n in numbers):
        return Figure(min(plain(n) for n in numbers), "min", numbers)
    return min(numbers)


def where(condition: Number, then: Number, otherwise: Number) -> Number:
    """`then` where `condition` is not zero, `otherwise` elsewhere; both sides are evaluated."""
    if (numpy := _columns((condition, then, otherwise))) is not None:
        return numpy.where(condition, then, otherwise)
    if any(isinstance(n, Figure) for n in (condition, then, otherwise)):
        chosen = then if plain(condition) else otherwise
        return Figure(plain(chosen), "where", (condition, chosen))
    return then if condition else otherwise


def ceil_div(number: Number, by: Number) -> Number:
    """`number / by`, rounded up, in integers."""
    return (
        -(-number // by)
        if not isinstance(number, Figure) and not isinstance(by, Figure)
        else Figure(-(-plain(number) // plain(by)), "ceil÷", (number, by))
    )


def round_up(number: Number, to: Number) -> Number:
    """The next multiple of `to` that is not below `number`."""
    if type(number) is int and type(to) is int:
        return -(-number // to) * to
    if isinstance(number, Figure) or isinstance(to, Figure):
        return Figure(-(-plain(number) // plain(to)) * plain(to), "round up to", (number, to))
    return -(-number // to) * to


def whole(number: Number) -> Number:
    """The next whole number that is not below this one, as an integer."""
    if (numpy := _columns((number,))) is not None:
        return numpy.ceil(number).astype(numpy.int64)
    if isinstance(number, Figure):
        return Figure(math.ceil(number.value), "round up", (number,))
    return math.ceil(number)


def total(numbers: Iterator[Number] | tuple[Number, ...] | list[Number]) -> Number:
    """The sum of an iterable; 0 when it is empty."""
    result: Number = 0
    for number in numbers:
        # A zero start would put a meaningless "0 +" into every derivation.
        result = number if isinstance(result, int) and result == 0 else result + number
    return result
