"""A little arithmetic on Curve25519, to spell the keys that attackers would.

X25519 multiplies by scalars that are multiples of 8, so adding a point whose order divides 8 to a
key changes the key and no secret that is agreed with it; nor does the top bit, which it ignores.
"""

from __future__ import annotations

from bpost.crypto.primitives import FIELD

Point = tuple[int, int] | None
"""Affine coordinates on v² = u³ + A·u² + u; None is the point at infinity."""

A = 486662
ORDER_8 = int.from_bytes(
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"), "little"
)


def other_spellings(key: bytes) -> list[bytes]:
    """Return the 15 other encodings with which a key agrees on the same secrets."""
    point: Point = _point(int.from_bytes(key, "little"))
    torsion = _point(ORDER_8)
    found = []
    for _ in range(8):
        point = _add(point, torsion)
        assert point is not None
        plain = point[0].to_bytes(32, "little")
        found += [plain, plain[:31] + bytes([plain[31] | 0x80])]
    return [spelling for spelling in found if spelling != key]


def _point(u: int) -> tuple[int, int]:
    square = (u**3 + A * u * u + u) % FIELD
    root = pow(square, (FIELD + 3) // 8, FIELD)
    if root * root % FIELD != square:
        root = root * pow(2, (FIELD - 1) // 4, FIELD) % FIELD
    assert root * root % FIELD == square, "the point is on the twist"
    return u, root


def _add(one: Point, other: Point) -> Point:
    if one is None or other is None:
        return one or other
    (u1, v1), (u2, v2) = one, other
    if u1 == u2 and (v1 + v2) % FIELD == 0:
        return None
    if one == other:
        slope = (3 * u1 * u1 + 2 * A * u1 + 1) * pow(2 * v1, -1, FIELD) % FIELD
    else:
        slope = (v2 - v1) * pow(u2 - u1, -1, FIELD) % FIELD
    u3 = (slope * slope - A - u1 - u2) % FIELD
    return u3, (slope * (u1 - u3) - v1) % FIELD
