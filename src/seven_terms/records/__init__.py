"""What the stages hand to each other, and where it lies. Standard library only, but for `tables`."""
