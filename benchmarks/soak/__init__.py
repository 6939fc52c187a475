"""Hours of mixed load on a whole installation, with faults: what is lost, and whether anything grows."""
