"""Requests as a caller's program makes them, none of which waits for ever."""

from functools import partial

import requests

get = partial(requests.get, timeout=60)
post = partial(requests.post, timeout=60)
put = partial(requests.put, timeout=60)
delete = partial(requests.delete, timeout=60)
