"""The quick part of the attacks, and that an attack which finds a mistake is counted as one."""

import random
import subprocess
import sys
import time

import pytest

from seven_terms.records import atomic

from . import bits, damage, disks, kills
from .outcomes import Trial, bad, markdown
from .pipeline import differences

FLIPS = 20  # of each kind of file; `make stress` flips more


def test_no_flipped_bit_passes_in_any_kind_of_file(tmp_path):
    found = list(bits.trials(tmp_path, most=FLIPS))
    assert len(found) == FLIPS * len(bits.KINDS)
    assert bad(found) == []


def test_a_flipped_bit_that_passes_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "is_stamped_right", lambda data: True)
    monkeypatch.setattr(bits, "KINDS", tuple(kind for kind in bits.KINDS if kind.name == "state.ckpt"))
    found = list(bits.trials(tmp_path, most=FLIPS))
    assert len(bad(found)) == FLIPS


def test_damage_changes_what_it_says(tmp_path):
    data = b"a,1\nb,2\n"
    for harm, change in damage.HARMS.items():
        assert change(data, random.Random(0)) != data, harm


def test_a_file_that_is_gone_added_or_other_is_a_difference():
    assert differences({"a": "1", "b": "2", "c": "3"}, {"a": "1", "b": "3", "d": "4"}) == ["b", "c", "d"]


def test_the_table_counts_how_each_attack_ended():
    trials = [Trial("kill", "x", "same bytes"), Trial("kill", "x", "same bytes"), Trial("kill", "x", "traceback", "t")]
    assert markdown(trials).splitlines()[-1] == "| kill | x | 3 | same bytes 2; traceback 1 |"
    assert bad(trials) == trials[2:]


def test_an_unknown_part_is_named(project):
    done = subprocess.run(
        [sys.executable, "-m", "tests.stress", "bit"], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "a part must be one of bits, specs, kills, disks, damage, review, got 'bit'" in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_few_of_the_long_attacks_find_nothing(project, tmp_path):
    soon = time.monotonic() + 120
    found = [
        *kills.trials(tmp_path / "kills", project, number=3, until=soon),
        *damage.trials(tmp_path / "damage", project, until=soon),
        *disks.trials(tmp_path / "disks", project, until=soon),
    ]
    assert found
    assert bad(found) == []
