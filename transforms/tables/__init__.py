"""The rows of the tables: their columns declared once, and made from papers and bundles."""
