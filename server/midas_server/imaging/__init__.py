"""Photo bytes to network input and network output to depth map: pure functions on arrays, without Triton or torch."""
