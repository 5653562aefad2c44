"""What is served of a data folder, read beside a running writer: documents, site, mirrors."""
