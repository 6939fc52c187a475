"""What is measured: the served networks under loads, and the limit of the same steps in one process."""
