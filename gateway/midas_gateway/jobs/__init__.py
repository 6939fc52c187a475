"""Many photos, a zip of them, or a video: work that takes longer than a caller waits for one answer.

    intake -> a folder of inputs and a row -> runner -> outputs -> routes -> a zip, or a video

`store` is the one truth on what there is: an SQLite file that all workers share. A worker that runs a job holds a lock
on a file, which the system takes away when the worker dies in whatever way; then another takes the job over.
"""
