"""A module's options: a pydantic model whose fields say type, default and meaning."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class ModuleOptions(BaseModel):
    """Base of a module's `Options`. Unknown options are refused; values do not change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


def option(default: Any, description: str, *, least: float | None = None, most: float | None = None) -> Any:
    """One option: its default, what it does, and its bounds where it is a number."""
    return Field(default, description=description, ge=least, le=most)
