"""The language of the page. Its texts are English in the code, and in another language what texts/ has for each.

As words.py, it touches no page. Which language it is, boot/language.mjs has found out before Python is there, and it
stays that for as long as the page: so a text may be asked for when a module is imported.
"""

import json

_BESIDE = __file__.rsplit("/", 1)[0] + "/spoken.json"
"""The texts of the language, where boot/micropython.mjs puts them; there is no such file in English."""


def _read():
    try:
        with open(_BESIDE) as file:
            return json.load(file)
    except OSError:
        return {}


_spoken = _read()
IS_ENGLISH = not _spoken


def t(english, **places):
    """Return a text in the language of the page, with what belongs in its places: `t("Removed {name}.", name=name)`."""
    text = _spoken.get(english, english)
    return text.format(**places) if places else text


def known(english):
    """Return what others say in English, and what that is in the language of the page, for library_words.py."""
    return english, _spoken.get(english, english)


def _both(one, other):
    return tuple(_spoken.get(one + " | " + other, one + " | " + other).split(" | "))


def forms(one, other):
    """Return the two forms of a text in the language of the page, for `counted`."""
    return _both(one, other)


def counted(number, both, **places):
    """Return the one of two forms that goes with a number, with that as `{n}`."""
    return both[number != 1].format(n=grouped(number), **places)


def plural(number, one, other, **places):
    """Return a text that goes with a number, which is `{n}` in it: `plural(3, "{n} note", "{n} notes")`."""
    return counted(number, _both(one, other), **places)


_SAMPLE = t("1,000.5")


def grouped(number):
    """Write a whole number with a mark between thousands: 1,000."""
    text = str(number)
    groups = ""
    while len(text) > 3:
        groups = _SAMPLE[1] + text[-3:] + groups
        text = text[:-3]
    return text + groups


def tenths(number):
    """Write so many tenths, a whole number, with one digit behind the point: 15 as 1.5."""
    return grouped(number // 10) + _SAMPLE[5] + str(number % 10)
