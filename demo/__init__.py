"""`make demo`: photos to depth maps through a real Triton, with pictures to look at."""
