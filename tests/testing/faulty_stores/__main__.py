"""Is every fault found, whatever the seed? A table: fault, the test made for it, found in how many runs.

A fault is found in a run where the test made for it fails: then the whole suite, of which it is a part, fails too. The
random part alone is run beside it, with the same seeds::

    python -m tests.testing.faulty_stores --seeds 10 [--chance] [name of a fault ...]

It ends with exit code 1 where a fault was missed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tests.testing.faulty_stores import FAULTS, found_by_chance, held


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 where a fault was missed."""
    asked = argparse.ArgumentParser(prog="python -m tests.testing.faulty_stores", description=__doc__)
    asked.add_argument("faults", nargs="*", help="the faults to look at; all unless given")
    asked.add_argument("--seeds", type=int, default=10, help="how many runs, each with a seed of its own")
    asked.add_argument("--chance", action="store_true", help="how often the random part alone finds it, too")
    given = asked.parse_args(arguments)
    chosen = {store: test for store, test in FAULTS.items() if not given.faults or store.__name__ in given.faults}
    missed = []
    for store, test in chosen.items():
        found = sum(bool(held(store, test, seed=seed).failures) for seed in range(given.seeds))
        row = f"{store.__name__:32} {found:2} of {given.seeds}"
        if given.chance:
            by_chance = sum(found_by_chance(store, seed) for seed in range(given.seeds))
            row += f"   by chance {by_chance:2} of {given.seeds}"
        sys.stdout.write(f"{row}   {test}\n")
        sys.stdout.flush()
        if found < given.seeds:
            missed.append(store.__name__)
    sys.stdout.write(f"{len(chosen)} faults, missed in some run: {', '.join(missed) or 'none'}\n")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
