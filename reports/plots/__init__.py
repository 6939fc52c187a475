"""Plots with matplotlib, as SVG for pages and as PNG: bars, lines and points in one style."""
