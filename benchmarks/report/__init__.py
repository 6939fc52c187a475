"""The benchmarks' report: records of one or several machines as Markdown with pictures, and as one HTML page."""
