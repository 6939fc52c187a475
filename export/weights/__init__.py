"""Checkpoints: find, download, check and read them, and fill a network with them."""
