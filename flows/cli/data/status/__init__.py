"""The command `status`: what it finds, its screen, and the run under way in another terminal."""
