"""Bytes of arXiv and Kaggle to papers and rejects."""
