"""What code raises, read from its source: every sentence and hint, each place a value goes into written {}."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import NamedTuple

import sizeup
from sizeup import errors

CLASSES = {name for name, thing in vars(errors).items() if isinstance(thing, type) and issubclass(thing, errors.SizeupError)}
PIECES = {"bad": 0, "_bad": 1, "broken": 1, "NotJson": 0, "failure": 1, "RuntimeError": 0}
"""What makes part of a sentence: the argument that holds its words."""


class Raised(NamedTuple):
    where: str
    """File and argument as they stand in the source."""
    text: str


def raised() -> Iterator[Raised]:
    """Every text of every error that the package can raise; "{}" where only a value is given."""
    folder = Path(sizeup.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        for function, call in _calls(ast.parse(path.read_text(encoding="utf-8"))):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            first = PIECES.get(name)
            if name not in CLASSES and first is None:
                continue
            for argument in call.args[first or 0 :][:2]:
                for text in texts(argument, function):
                    yield Raised(f"{path.relative_to(folder).as_posix()}: {ast.unparse(argument)}", text)


def _calls(tree: ast.AST, function: ast.AST | None = None) -> Iterator[tuple[ast.AST | None, ast.Call]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Call):
            yield function, node
        yield from _calls(node, node if isinstance(node, ast.FunctionDef) else function)


def texts(node: ast.expr, function: ast.AST | None) -> list[str]:
    """The texts that an expression can be; what no one can know without running it is a place."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        parts = [texts(part.value if isinstance(part, ast.FormattedValue) else part, function) for part in node.values]
        return ["".join(chosen) for chosen in product(*parts)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = texts(node.left, function), texts(node.right, function)
        return ["{}"] if left == right == ["{}"] else [a + b for a, b in product(left, right)]
    if isinstance(node, ast.IfExp):
        return texts(node.body, function) + texts(node.orelse, function)
    if isinstance(node, ast.BoolOp):
        return [text for value in node.values for text in texts(value, function)]
    if isinstance(node, ast.Name) and function is not None:
        return _assigned(node.id, function)
    return ["{}"]


def _assigned(name: str, function: ast.AST) -> list[str]:
    """The texts of a variable that its function sets once."""
    values = [n.value for n in ast.walk(function) if isinstance(n, ast.Assign) and any(getattr(t, "id", "") == name for t in n.targets)]
    return texts(values[0], None) if len(values) == 1 else ["{}"]


def warned() -> Iterator[Raised]:
    """Every sentence that code puts into an answer without raising it: warnings, limits and notes of machines and models.

    A text counts as one when it ends as a sentence does and is no docstring, or is added to what is called warnings or limits.
    """
    folder = Path(sizeup.__file__).parent
    for path in sorted(path for part in ("probe", "readers", "tokens") for path in (folder / part).rglob("*.py")):
        for function, node in _said(ast.parse(path.read_text(encoding="utf-8"))):
            for text in texts(node, function):
                yield Raised(f"{path.relative_to(folder).as_posix()}: {ast.unparse(node)}", text)


LISTS = {"warnings", "limits"}
"""What sentences are collected under."""


def _said(tree: ast.AST, function: ast.AST | None = None) -> Iterator[tuple[ast.AST | None, ast.expr]]:
    for node in ast.iter_child_nodes(tree):
        inside = node if isinstance(node, ast.FunctionDef) else function
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # a docstring
        if isinstance(node, ast.Call):
            yield from ((inside, found) for found in _collected(node))
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            text = node.value if isinstance(node, ast.Constant) else "{}".join(p.value for p in node.values if isinstance(p, ast.Constant))
            if text.endswith(".") and text.count(" ") > 1:
                yield inside, node
            continue
        yield from _said(node, inside)


def _collected(call: ast.Call) -> Iterator[ast.expr]:
    """The texts that a call adds to a list of sentences, or gives as one."""
    if isinstance(call.func, ast.Attribute) and call.func.attr == "append" and getattr(call.func.value, "id", "") in LISTS:
        yield from call.args
    for keyword in call.keywords:
        if keyword.arg in LISTS:
            yield from _listed(keyword.value)


def _listed(node: ast.AST) -> Iterator[ast.expr]:
    """The texts inside a list that is written out."""
    if isinstance(node, ast.expr) and _words(node):
        yield node
    elif not isinstance(node, ast.JoinedStr):
        for inside in ast.iter_child_nodes(node):
            yield from _listed(inside)


def _words(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value)
