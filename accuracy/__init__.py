"""How accurate a depth network is on photos with depth: `python -m accuracy DATA ...`."""

import midas_server.no_telemetry  # noqa: F401
