"""The one reader and the one writer of every binary structure in this package.

Numbers are big-endian, fields have a fixed length or a 4-byte length before them, and nothing may
follow the last: what :class:`Reader` accepts, :class:`Writer` spells the same way again. Lengths
are checked against a bound and against what is there before anything is taken.
"""

from __future__ import annotations

from bpost.errors import SecurityError

LENGTH = 4


class Writer:
    """Put fields one behind the other; each method returns the writer, so calls chain."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def fixed(self, data: bytes, length: int) -> Writer:
        """Add exactly ``length`` bytes, without a length before them."""
        if len(data) != length:
            raise ValueError(f"a field of {length} bytes was given {len(data)}")
        self._parts.append(data)
        return self

    def number(self, value: int, size: int) -> Writer:
        """Add an unsigned number of ``size`` bytes."""
        self._parts.append(value.to_bytes(size, "big"))
        return self

    def blob(self, data: bytes) -> Writer:
        """Add bytes of any length, with their length before them."""
        self._parts += (len(data).to_bytes(LENGTH, "big"), data)
        return self

    def text(self, text: str) -> Writer:
        """Add a text as UTF-8, with its length in bytes before it."""
        return self.blob(text.encode("utf-8"))

    def done(self) -> bytes:
        """Return everything that was added."""
        return b"".join(self._parts)


class Reader:
    """Take fields off the front of ``data``; ``what`` names the structure in error texts.

    Every method raises SecurityError ``bad-encoding`` when the field is not there, is longer than
    its bound, or is not what it must be. Call :meth:`end` after the last one.
    """

    def __init__(self, data: bytes, what: str) -> None:
        self._data = data
        self._at = 0
        self._what = what

    def fixed(self, length: int) -> bytes:
        """Take exactly ``length`` bytes."""
        end = self._at + length
        if end > len(self._data):
            raise self._bad("it is cut short")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def number(self, size: int, most: int | None = None) -> int:
        """Take an unsigned number of ``size`` bytes that is at most ``most``."""
        value = int.from_bytes(self.fixed(size), "big")
        if most is not None and value > most:
            raise self._bad(f"a number in it is {value}, more than {most}")
        return value

    def blob(self, most: int) -> bytes:
        """Take bytes with their length before them, at most ``most``."""
        return self.fixed(self.number(LENGTH, most))

    def text(self, most: int) -> str:
        """Take a UTF-8 text of at most ``most`` bytes."""
        try:
            return self.blob(most).decode("utf-8")
        except UnicodeDecodeError:
            raise self._bad("a text in it is not UTF-8") from None

    def version(self, known: int) -> None:
        """Take the version byte, which must be ``known``.

        Raises:
            SecurityError: ``newer-version`` or ``older-version``, for any other.
        """
        found = self.number(1)
        if found > known:
            text = f"A {self._what} has version {found}, newer than {known}: update this program."
            raise SecurityError("newer-version", text)
        if found < known:
            text = f"A {self._what} has version {found}; only {known} is accepted now."
            raise SecurityError("older-version", text)

    def end(self) -> None:
        """Check that nothing follows."""
        if self._at != len(self._data):
            raise self._bad("something follows its end")

    def _bad(self, why: str) -> SecurityError:
        text = f"A {self._what} cannot be read: {why}. It is damaged, or somebody altered it."
        return SecurityError("bad-encoding", text)


def length_prefixed(*parts: bytes) -> bytes:
    """Join ``parts``, each with its length before it: other parts never give the same bytes."""
    writer = Writer()
    for part in parts:
        writer.blob(part)
    return writer.done()


def name_bytes(username: str) -> bytes:
    """Return a username in the one form that hashes and signatures cover."""
    return username.lower().encode("utf-8")
