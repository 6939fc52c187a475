"""What runs beside NVIDIA Triton to serve MiDaS: the launcher, the backends, the Python steps of every ensemble."""

from midas_server import no_telemetry as no_telemetry
