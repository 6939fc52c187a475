"""Photos under free licences for training: a list of them, fetching them, and labelling them with a teacher's depth.

`python -m training.photos collect --out data/photos`, then
`python -m training.photos label --teacher NETWORK.onnx --photos data/photos --out data/teacher`.
"""
