"""What the command line does, and the way of an export from a variant or a file to the repository."""
