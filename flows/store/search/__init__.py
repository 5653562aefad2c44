"""The search index: words of titles and authors, derived from the tables, beside the catalog."""
