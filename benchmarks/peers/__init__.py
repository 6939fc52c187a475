"""Other ways to serve the same network: the programs, and how they are set up, started and compared with ours.

What is the same for all: the weights, the photo, the resize rule (cubic, multiples of 32), depth at the network's size
as float32 bytes over HTTP/1.1 with connections that are kept, the load generator and its treatment of refusals, and
that a service's answer is compared with ours before it is measured. Each peer has an environment of its own, pinned
releases, ONNX Runtime of our version, and the workers, threads and batching with which it did best of those tried.

What is not the same: ours decodes a large JPEG at a reduced scale (docs/postprocessing.md says what that costs), as
none of the peers' documentation does, bounds its queues, and can serve int8 and bfloat16; the peers serve float32.
"""
