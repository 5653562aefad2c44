"""Files of the user's machine: whose they are, what they are, how they are compressed."""
