"""Files of the user's machine: their owners and kinds, compression, locations, config.yaml."""
