"""The commands with which a registry begins and stays up: init, up."""
