"""From a unit of work to a prepared shard to its commit."""
