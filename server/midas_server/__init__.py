"""What runs beside NVIDIA Triton to serve MiDaS: the launcher, the backends, the Python steps of every ensemble."""
