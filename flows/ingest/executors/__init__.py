"""Where units of work are done: in this process, in others, or by Dask."""
