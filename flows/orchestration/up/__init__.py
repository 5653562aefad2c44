"""`pith-ingest up`: what an operator needs, started, watched and stopped as one."""
