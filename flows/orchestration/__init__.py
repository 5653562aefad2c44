"""All that is Prefect's: launching, tasks and artifacts, deployments, its server."""
