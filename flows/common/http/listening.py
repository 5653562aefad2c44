"""A socket that listens, or one sentence on why a port cannot be listened on."""

import socket
from errno import EACCES, EADDRINUSE

from flows.common.errors import ConfigError


def listen(
    host: str, port: int, *, options: tuple[str, str] = ("--host", "--port"), backlog: int = 1
) -> socket.socket:
    """Return a socket that listens on a port of this machine; 0 takes a free one.

    Raises `ConfigError` naming port and option: `options` are those that named host and port.
    """
    host_option, port_option = options
    where = f"port {port} of {host}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # With the protocol named, or asyncio leaves Nagle's algorithm on: a body waits 40 ms then.
        listener = socket.socket(family, kind, protocol)
    except (socket.gaierror, UnicodeError):
        raise ConfigError(f"{host_option} {host}: this machine has no such address") from None
    try:
        # What closed a moment ago may be bound again.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(backlog)
    except OSError as error:
        listener.close()
        if error.errno == EADDRINUSE:
            why = f"{where} is in use by another program; name another with {port_option}"
        elif error.errno == EACCES:
            why = f"{where} is not for this user; name one from 1024 with {port_option}"
        else:
            why = f"cannot listen on {where}: {error.strerror}; name another with {port_option}"
        raise ConfigError(why) from None
    return listener
