"""What is written into the model repository and read back: configs, manifest, folders swapped in whole."""
