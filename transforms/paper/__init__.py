"""A paper as arXiv has it, its names as people type them, and the choice of papers."""
