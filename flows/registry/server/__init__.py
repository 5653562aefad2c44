"""The registry's HTTP service: Starlette behind uvicorn, read-only."""
