"""The command line: entry and verbs."""
