"""What puts load on a server: load generators, when they send, and the photo that they send."""
