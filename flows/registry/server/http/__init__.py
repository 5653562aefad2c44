"""A request, its reply and the connection of both: what holds for every address."""
