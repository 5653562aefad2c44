"""The metadata file that Kaggle offers: cut into parts, its lines read."""
