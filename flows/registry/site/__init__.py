"""The site: the registry's pages for people, rendered on the server, without inline style."""
