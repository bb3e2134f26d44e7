"""Training: stack -> metrics file. Lightning drives it; wandb is imported by one file only, and only when wanted."""

import os

# MKL chooses kernels by the alignment of its operands, which depends on a run's place in the stack; in its strict
# reproducible mode it does not (no measurable cost for these shapes). Read at MKL's first call, so it must stand here.
os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")

from .train_stack import train_stack as train_stack
