"""What a registry serves: its documents, their addresses, and the names that people ask with."""
