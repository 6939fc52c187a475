"""How many machines so many photos take, from the benchmarks' records."""
