"""The click tool: a page on this machine alone, to mark what is known in a photo and what to measure."""
