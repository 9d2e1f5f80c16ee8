"""Signatures: that a form is the portal's and its person's, and that a text that went out comes back unaltered."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

_BYTES = 32


class Signer:
    """Signs with one key; a purpose keeps what was signed for one use from being taken for another."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def _digest(self, purpose: str, text: str) -> bytes:
        # the length keeps two pairs apart that would read the same
        return hmac.digest(
            self._key, f"{len(purpose)}:{purpose}:{text}".encode("utf-8", "surrogatepass"), hashlib.sha256
        )

    def token(self, actor: str) -> str:
        """A token for the forms of a person. Each one looks different, since pages may be compressed (BREACH)."""
        mask = secrets.token_bytes(_BYTES)
        hidden = bytes(one ^ other for one, other in zip(mask, self._digest("form", actor), strict=True))
        return base64.urlsafe_b64encode(mask + hidden).decode().rstrip("=")

    def is_token(self, given: str, actor: str) -> bool:
        """Whether a token is one of the forms of this person."""
        try:
            raw = base64.urlsafe_b64decode(given + "=" * (-len(given) % 4))
        except (ValueError, binascii.Error):
            return False
        if len(raw) != 2 * _BYTES:
            return False
        digest = bytes(one ^ other for one, other in zip(raw[:_BYTES], raw[_BYTES:], strict=True))
        return hmac.compare_digest(digest, self._digest("form", actor))

    def sealed(self, purpose: str, text: str) -> str:
        """A text with its signature, for an address."""
        body = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        return f"{body}.{self._digest(purpose, text).hex()[:32]}"

    def opened(self, purpose: str, given: str) -> str | None:
        """The text that was `sealed` for this purpose; None where it is none, or was altered."""
        body, _, signature = given.partition(".")
        try:
            text = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()
        except (ValueError, binascii.Error):
            return None
        right = self._digest(purpose, text).hex()[:32]
        return text if hmac.compare_digest(right.encode(), signature.encode()) else None

    def hidden(self, purpose: str, number: int) -> str:
        """A number that nobody can read or compare, for an address: 43 letters, different ones each time."""
        nonce = secrets.token_bytes(8)
        body = nonce + _mixed(number.to_bytes(8), self._digest(purpose, nonce.hex()))
        return base64.urlsafe_b64encode(body + self._digest(f"{purpose}:seal", body.hex())[:16]).decode().rstrip("=")

    def revealed(self, purpose: str, given: str) -> int | None:
        """The number that was `hidden` for this purpose; None where it is none, or was altered."""
        try:
            whole = base64.b64decode(f"{given}=".encode("ascii"), altchars=b"-_", validate=True)
        except ValueError:
            return None
        body, seal = whole[:16], whole[16:]
        if not hmac.compare_digest(seal, self._digest(f"{purpose}:seal", body.hex())[:16]):
            return None
        return int.from_bytes(_mixed(body[8:], self._digest(purpose, body[:8].hex())))


def _mixed(data: bytes, with_: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(data, with_, strict=False))
