"""The catalog: what is known of each record, each window and each reply."""
