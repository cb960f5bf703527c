"""`python -m tests.chaos --minutes 60`: the chaos test by hand, with its counts."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from .run import Chaos, Plan


async def main() -> int:
    """Run, print the figures, and return how many problems there are."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--without-archive", action="store_true", help="offline storage only")
    options = parser.parse_args()
    plan = Plan(options.minutes * 60, options.seed, options.clients, not options.without_archive)
    with tempfile.TemporaryDirectory() as folder:
        chaos = Chaos(plan, Path(folder))
        try:
            await chaos.run()
        finally:
            await chaos.close()
            print(chaos.lives.log.read_text(), file=sys.stderr)
        problems = chaos.book.problems(archived=plan.archive)
    print(chaos.book.report())
    print(f"{len(problems):>8}  exceptions")
    for problem in problems[:50]:
        print(problem)
    return min(len(problems), 1)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
