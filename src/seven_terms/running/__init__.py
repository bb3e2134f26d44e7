"""This machine and its processes: devices, progress, locks, the warm start. Standard library only."""
