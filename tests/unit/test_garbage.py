"""The collector never walks a state that has grown, and still finds young cycles."""

import subprocess
import sys

from tests.tidy.sources import ROOT

_PROGRAM = """
import gc

from shared.runtime.garbage import YOUNG_MAX, MIDDLE_EVERY, spare_what_lasts

spare_what_lasts()
walked, cycles = [0], [0]

def watch(phase, info):
    if phase == "start":
        walked.append(sum(len(gc.get_objects(n)) for n in range(info["generation"] + 1)))
    else:
        cycles.append(info["collected"])

gc.callbacks.insert(0, watch)
state = []
for number in range(200_000):
    state.append([number])
    if number % 100 == 0:
        cycle = []
        cycle.append(cycle)
print(max(walked) <= 2 * YOUNG_MAX * (MIDDLE_EVERY + 1), sum(cycles) > 1_900)
"""


def test_a_growing_state_is_not_walked_and_young_cycles_are_found() -> None:
    said = subprocess.run(
        [sys.executable, "-c", _PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["True", "True"], said.stdout
