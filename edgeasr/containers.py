"""Whether a WAV or Ogg file ends before it says it does; libsndfile plays both without a word."""

import os
from typing import BinaryIO

__all__ = ["missing_end"]

_UNKNOWN_SIZES = (0, 0xFFFFFFFF)  # written by programs that stream
_OGG_PAGE_LIMIT = 65_307  # bytes, the longest page
_OGG_LAST_PAGE = 0x04


def missing_end(file: BinaryIO) -> bool:
    """Return whether the end of a RIFF/WAVE or Ogg file is missing; others are not judged."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(12)
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":
        return _wave_ends_early(file, size)
    if head[:4] == b"OggS":
        return _ogg_ends_early(file, size)
    return False


def _wave_ends_early(file: BinaryIO, size: int) -> bool:
    """Walk the chunks up to `data` and compare its length with the file's."""
    at = 12
    while at + 8 <= size:
        file.seek(at)
        header = file.read(8)
        length = int.from_bytes(header[4:], "little")
        if header[:4] == b"data":
            return length not in _UNKNOWN_SIZES and at + 8 + length > size
        at += 8 + length + length % 2
    return False


def _ogg_ends_early(file: BinaryIO, size: int) -> bool:
    """Look whether the last page (RFC 3533) is whole and carries the end-of-stream flag."""
    file.seek(max(0, size - _OGG_PAGE_LIMIT))
    tail = file.read(_OGG_PAGE_LIMIT)
    start = tail.rfind(b"OggS")
    page = tail[start:] if start >= 0 else b""
    if len(page) < 27 or len(page) < 27 + page[26]:
        return True
    segments = page[26]
    length = 27 + segments + sum(page[27 : 27 + segments])
    return length > len(page) or not page[5] & _OGG_LAST_PAGE
