"""One file for each group of rows; a file's `ROWS` joins the table by lying here."""

import importlib
import pkgutil

from tests.bench.row import Row


def all_rows() -> list[Row]:
    """Every row of this folder, in the order of the table."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return sorted((row for module in modules for row in module.ROWS), key=lambda row: row.place)
