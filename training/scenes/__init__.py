"""Made-up scenes with exact depth: rooms, shops, streets, tables and people, built by rules and traced on the CPU.

`python -m training.scenes --count 4000 --out data/scenes --seed 0` writes photos, inverse depth and `pairs.csv`.
"""
