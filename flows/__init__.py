"""The shell: three Prefect flows, and how they fetch, keep, configure and report."""
