"""Reports of runs as people read them: sentences, plots, one page that is whole by itself."""
