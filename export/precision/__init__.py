"""A graph in half precision or int8, and the photos that calibrate and judge it."""
