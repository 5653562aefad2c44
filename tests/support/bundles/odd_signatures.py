"""Ed25519 signatures on which verifiers differ, made by the curve's arithmetic (RFC 8032, 5.1)."""

import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P

Point = tuple[int, int]
NEUTRAL: Point = (0, 1)


def odd_signatures(message: bytes) -> dict[str, tuple[bytes, bytes]]:
    """Return public key and signature of 32 bytes each case, by what is odd about it."""
    scalar, nonce = _hash(b"a key"), _hash(b"a nonce")
    key, torsion = _times(_BASE, scalar), _of_order_eight()
    plain = _sign(key, scalar, nonce, message)
    above = int.from_bytes(plain[1][32:], "little") + L
    odd = {
        "nothing": plain,
        "R moved by a point of order 8": _sign(key, scalar, nonce, message, moved=torsion),
        "S above the order of the group": (
            plain[0], plain[1][:32] + above.to_bytes(32, "little")),
        "a key in its second spelling": (
            (P + 1).to_bytes(32, "little"), _encode(NEUTRAL) + bytes(32)),
        "R the neutral point": _sign(key, scalar, 0, message),
        "R of order 8": _sign(key, scalar, 0, message, moved=torsion),
        "a key that is no point": (_no_point(), plain[1]),
    }  # fmt: skip
    moved = [_sign(_add(key, torsion), scalar, nonce + n, message) for n in range(40)]
    for vanishes in (False, True):
        # Where eight divides the hash, the key's part of order 8 vanishes and the equation holds.
        odd[f"a key moved by a point of order 8{', which vanishes' if vanishes else ''}"] = next(
            (key, signature)
            for key, signature in moved
            if (_hash(signature[:32], key, message) % 8 == 0) is vanishes
        )
    small = [_times(torsion, times) for times in range(8)]
    for n, point in enumerate(small):
        # With S = 0 the equation holds for a key of small order whenever R = -hA.
        for at in range(8):
            encoded = _encode(point), _encode(small[at])
            if _add(small[at], _times(point, _hash(encoded[1], encoded[0], message))) == NEUTRAL:
                odd[f"a key of small order, {n} times a point of order 8"] = (
                    encoded[0], encoded[1] + bytes(32))  # fmt: skip
    return odd


def _sign(
    key: Point, scalar: int, nonce: int, message: bytes, moved: Point = NEUTRAL
) -> tuple[bytes, bytes]:
    point = _encode(_add(_times(_BASE, nonce), moved))
    solved = (nonce + _hash(point, _encode(key), message) * scalar) % L
    return _encode(key), point + solved.to_bytes(32, "little")


def _hash(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % L


def _x_of(y: int) -> int | None:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return None if (x * x - square) % P else x


def _add(one: Point, other: Point) -> Point:
    (x1, y1), (x2, y2) = one, other
    k = D * x1 * x2 * y1 * y2
    return (
        (x1 * y2 + x2 * y1) * pow(1 + k, -1, P) % P,
        (y1 * y2 + x1 * x2) * pow(1 - k, -1, P) % P,
    )


def _times(point: Point, times: int) -> Point:
    result = NEUTRAL
    while times:
        if times & 1:
            result = _add(result, point)
        point, times = _add(point, point), times >> 1
    return result


def _of_order_eight() -> Point:
    for y in range(2, 100):
        x = _x_of(y)
        if x is not None and _times(point := _times((x, y), L), 4) != NEUTRAL:
            return point
    raise AssertionError("every fourth point or so has such a part")


def _no_point() -> bytes:
    return next(y for y in range(2, 100) if _x_of(y) is None).to_bytes(32, "little")


def _encode(point: Point) -> bytes:
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


_BASE_Y = 4 * pow(5, -1, P) % P
_BASE_X = _x_of(_BASE_Y) or 0
_BASE: Point = (_BASE_X if _BASE_X % 2 == 0 else P - _BASE_X, _BASE_Y)
