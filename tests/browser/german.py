"""The English that is left on a page in German."""

from __future__ import annotations

import re

from playwright.async_api import Page

from web5_build.site import texts

GERMAN = texts.read(texts.languages()["de"])

ON_THE_PAGE = """(not) => {
  const found = [];
  const look = (root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let at = walker.nextNode(); at; at = walker.nextNode()) {
      if (at.nodeType === Node.TEXT_NODE) {
        if (!at.parentElement?.closest(not)) found.push(at.data);
      } else {
        if (at.localName === "template") look(at.content);
        const named = at.closest(not) ? [] : ["aria-label", "title", "placeholder", "alt"];
        for (const name of named) found.push(at.getAttribute(name) ?? "");
      }
    }
  };
  look(document);
  return [...new Set(found.map((text) => text.trim().replace(/\\s+/g, " ")))];
}"""
"""All texts of the page, shown or not."""

THEIRS = (
    "script, style, noscript, code, .note-text, .bubble-text, #phrase-words, [lang]:not(html), .part-name, .file-name"
)
"""What people, or machines, wrote."""

_COMMON = re.compile(r"\b(the|your?|with|this|not|and|are|has|have|from|for|of|to|is|it)\b")
_PLACE = re.compile(r"\{\w+\}")


def _patterns() -> list[re.Pattern[str]]:
    found = []
    german = {form for text in GERMAN.values() for form in text.split(texts.BETWEEN)}
    for english, own in GERMAN.items():
        for form in english.split(texts.BETWEEN):
            letters = len(re.sub(r"[^A-Za-z]", "", _PLACE.sub("", form)))
            if english != own and form not in german and letters > 2:
                found.append(re.compile(".+".join(re.escape(part) for part in _PLACE.split(form))))
    return found


ENGLISH = _patterns()


async def left(page: Page) -> list[str]:
    """The texts of the page that are English still: by the list of texts, or by a word that only English has."""
    shown = await page.evaluate(ON_THE_PAGE, THEIRS)
    german = set(GERMAN.values())
    by_words = {text for text in shown if _COMMON.search(text) and text not in german}
    return [text for text in shown if text in by_words or any(one.fullmatch(text) for one in ENGLISH)]
