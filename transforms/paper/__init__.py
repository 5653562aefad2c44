"""What arXiv says of a paper, what people type to name one, and which are taken."""
