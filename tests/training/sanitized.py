"""Run every case of test_native.py through libraries of kernels, float32-networks.so and so on of a folder.

`python -m tests.training.sanitized FOLDER`.

Sanitizers end the process at the first fault; they must be loaded before Python, so this is a process of its own.
"""

import dataclasses
import sys
from pathlib import Path

from seven_terms.probes.curvature import observe_batch_sharpness, observe_sharpness
from seven_terms.records.runs import Stack
from seven_terms.spec import BatchSharpness, Sharpness
from seven_terms.tasks import polyphonic_music
from seven_terms.training.advance.native import border, curvature, drawing, library, points, updates
from seven_terms.training.program import StackedProgram

from .stacks import made_up_sequences, make_runs
from .test_native import CASES, DOUBLE, in_double
from .test_native_points import CASES as POINTS


def main(folder: Path) -> None:
    libraries = {key: border.opened(folder / f"{'-'.join(key)}.so", key[0]) for key in library.FLAGS_OF}
    for user in (updates, points, curvature, drawing):
        user.kernels = lambda precision, part="networks": libraries[precision, part]
    polyphonic_music.read_sequences = made_up_sequences
    for name, training in (*CASES.items(), *((name, in_double(name)) for name in DOUBLE), *POINTS.items()):
        runs = tuple(dataclasses.replace(run, mode="native") for run in make_runs(training, 2))
        program = StackedProgram(Stack(experiment="test/one", runs=runs))
        program.advance(0, min(4, len(program.updates)))
        program.advance(len(program.updates) - 1, len(program.updates))  # where batches grew, of another size
        program.module.train(False)
        inputs = program.task.evaluation("validation", program.seeds)[0]
        program.way.outputs(program.parameters, inputs[0, :33], shared=True)
        program.metrics(program.parameters, program.task.evaluation("validation", program.seeds))
        program.module.train(True)
        program.metrics(program.parameters, program.task.evaluation("validation", program.seeds))
        if program.curvatures():
            list(observe_batch_sharpness(BatchSharpness(num_batches=2), program, 0))
            list(observe_sharpness(Sharpness(num_iterations=3), program, 0))
        print(name, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
