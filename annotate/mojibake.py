"""UTF-8 that was read as Windows-1252 or Latin-1: how much of a text is such debris ('Ã©' for é, 'â€™' for ’)."""

import re

CONTINUATION = "".join(
    dict.fromkeys(
        [chr(byte) for byte in range(0x80, 0xC0)]  # as Latin-1 reads the second and later bytes of a character
        + [bytes([byte]).decode("cp1252", "ignore") for byte in range(0x80, 0xC0)]  # and as Windows does
    )
)
PUNCTUATION = "‘’‚“”„…–—«»·°´¨™®©ºª"  # of those, what rightly follows an accented letter at a word's end
RARE = "".join(letter for letter in CONTINUATION if letter not in PUNCTUATION)


def _leads(first: int, last: int) -> str:
    return f"[{chr(first)}-{chr(last)}]"


DEBRIS = re.compile(
    f"Ã[{re.escape(CONTINUATION)}]"  # the accented letters of western Europe
    f"|Â[{re.escape(RARE)}°´¨®©ºª·«»]"  # signs of Latin-1
    f"|{_leads(0xC4, 0xDF)}[{re.escape(RARE)}]"  # the rest of Latin, Greek, Cyrillic, Hebrew, Arabic
    f"|â€[{re.escape(CONTINUATION)}]"  # quotes, dashes, dots
    f"|{_leads(0xE0, 0xEF)}(?:[{re.escape(RARE)}][{re.escape(CONTINUATION)}]"
    f"|[{re.escape(CONTINUATION)}][{re.escape(RARE)}])"  # Indic, Chinese, Japanese, Korean
    f"|ð[Ÿ\x9f][{re.escape(CONTINUATION)}]{{2}}"  # emoji
)


def misread(text: str) -> int:
    """Characters of a text that are debris of another encoding, those counted elsewhere as control characters apart."""
    return sum(len(found) - sum("\x80" <= letter < "\xa0" for letter in found) for found in DEBRIS.findall(text))
