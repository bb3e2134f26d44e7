"""Native updates: our own kernels for small networks, compiled once on the machine that trains."""

from .updates import NativeUpdates as NativeUpdates
