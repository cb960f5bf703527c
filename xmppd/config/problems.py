"""What is wrong with a configuration, in words that say where and what to write instead."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Sequence
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from xmppd.nearest import did_you_mean

from .section import SECRECY

SHAPES: Final = {
    "model_type": "must be a mapping of options, {name: value}",
    "dict_type": "must be a mapping, {name: value}",
    "tuple_type": "must be a list, [a, b]",
    "list_type": "must be a list, [a, b]",
    "too_short": "must name at least one",
}


class ConfigError(Exception):
    """The configuration cannot be used; `problems` has a line `path: reason` for each thing to put right."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)


def explain(error: ValidationError, model: type[BaseModel], prefix: str = "") -> list[str]:
    """A line `path: reason` for each error pydantic found; `prefix` is the path of the model itself.

    Module loaders use it too: `explain(error, Roster.Options, "modules.roster")`.
    """
    found = error.errors()
    inner = {details["loc"][:length] for details in found for length in range(len(details["loc"]))}
    told = [details for details in found if details["loc"] not in inner]  # the whole is wrong because the part is
    return [line for details in told for line in _lines(details, model, prefix)]


def _lines(details: ErrorDetails, model: type[BaseModel], prefix: str) -> Iterator[str]:
    reason = _reason(details, model)
    path = _path(prefix, details["loc"])
    if not path:
        yield from reason.split("\n")  # a check of the whole: its text names the paths itself
    else:
        yield f"{path}: {reason}"


def _reason(details: ErrorDetails, model: type[BaseModel]) -> str:
    kind, text = details["type"], details["msg"]
    if kind == "extra_forbidden":
        return "unknown option" + did_you_mean(str(details["loc"][-1]), _fields_at(model, details["loc"][:-1]))
    if kind == "missing":
        return "is missing"
    text = SHAPES.get(kind) or text.removeprefix("Value error, ").replace("Input should be", "must be")
    if kind == "literal_error":
        expected = details.get("ctx", {}).get("expected", "").replace("'", "").replace(" or ", ", ").split(", ")
        return f"{text}, not {details['input']!r}" + did_you_mean(str(details["input"]), expected)
    if kind == "value_error":
        return text
    if _holds_secret(model, details["loc"]):
        return f"{text}; put it between quotes" if kind == "string_type" else text
    return f"{text}, not {_short(details['input'])}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _path(prefix: str, loc: Sequence[int | str]) -> str:
    path = prefix
    for part in loc:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _fields_at(model: type[BaseModel], loc: Sequence[int | str]) -> set[str]:
    """The options that exist at a place."""
    *_, (at, _) = _walk(model, loc)
    return set(at.model_fields) if isinstance(at, type) and issubclass(at, BaseModel) else set()


def _holds_secret(model: type[BaseModel], loc: Sequence[int | str]) -> bool:
    """Whether what belongs at a place is a `Secret`, or has one in it."""
    *_, (_, field) = _walk(model, loc)
    return field is not None and _is_secret(field)


def _is_secret(field: FieldInfo) -> bool:
    return SECRECY in field.metadata or _names_secret(field.annotation)


def _names_secret(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return any(_is_secret(field) for field in annotation.model_fields.values())
    inside = typing.get_args(annotation)
    return SECRECY in inside or any(_names_secret(argument) for argument in inside)


def _walk(model: type[BaseModel], loc: Sequence[int | str]) -> Iterator[tuple[Any, FieldInfo | None]]:
    """Through the models' annotations down to a place: the model there, and the field whose value stands there."""
    at: Any = model
    field: FieldInfo | None = None
    yield at, field
    for part in loc:
        if isinstance(at, type) and issubclass(at, BaseModel) and part in at.model_fields:
            field = at.model_fields[str(part)]
            at = _model_in(field.annotation)
            yield at, field


def _model_in(annotation: Any) -> Any:
    """The model inside `X | None`, `dict[str, X]` or `tuple[X, ...]`."""
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return annotation
    found = (_model_in(argument) for argument in typing.get_args(annotation) if argument is not Ellipsis)
    return next((one for one in found if isinstance(one, type) and issubclass(one, BaseModel)), None)
