"""How the project's own network is trained, and how any network of the table is fine-tuned: `python -m training`."""

import midas_server.no_telemetry  # noqa: F401
