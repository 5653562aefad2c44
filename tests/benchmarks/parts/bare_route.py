"""The least that a Starlette service does: one route that returns the same bytes from memory."""

import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def main(file: str, port: str) -> None:
    """Serve a file's bytes at every bundle's address."""
    data = Path(file).read_bytes()

    async def bundle(request: Request) -> Response:
        del request
        return Response(data, media_type="application/json")

    app = Starlette(routes=[Route("/pith/{suffix}/bundle.json", bundle)])
    uvicorn.run(
        app,
        port=int(port),
        http="h11",
        loop="asyncio",
        log_level="error",
        access_log=False,
        proxy_headers=False,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
