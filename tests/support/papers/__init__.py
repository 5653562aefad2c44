"""Made-up papers and the published ones: replies, rows and records of them."""
