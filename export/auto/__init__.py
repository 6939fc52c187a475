"""The build that fits this machine, found by measuring: `python -m export NAME --target auto`."""
