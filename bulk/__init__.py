"""Depth of very many photos, on one machine or a Ray cluster: `python -m bulk INPUT OUTPUT`.

    inputs      which photos there are: folders, archives, Parquet, lists, object stores
    request     what is asked for, checked before anything starts
    results     the folder of results: files, the journal of each share of the photos, the manifest
    answering   from a photo's bytes to its result: a network in this process, or a server
    worker      one share of the photos, from reading to the journal; what runs in Ray's actors
    run         Ray Data over all shares

Only `run` and the Parquet parts of `inputs` and `results` need what `make bulk-setup` installs.
"""
