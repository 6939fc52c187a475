"""The regression gate: ratios against those of a committed baseline."""
