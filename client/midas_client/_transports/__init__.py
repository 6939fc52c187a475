"""The ways to a server: gRPC and HTTP, each for a client that waits and for one that awaits.

`*_messages` has what both of a protocol send and read, so they cannot differ in it.
"""
