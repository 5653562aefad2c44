"""The commands `registry …`: serving and publishing the records to others."""
