"""How accurate a depth network is on photos with depth: `python -m accuracy DATA ...`."""
