"""Ordinary docutils nodes, of which boxes consist for builders that do not write HTML."""

from __future__ import annotations

from docutils import nodes

from ..markup import Excerpt


def code(text: str, language: str) -> nodes.literal_block:
    """Return a block of code; what the lexer of the language does not take is no error."""
    block = nodes.literal_block(text, text)
    block["language"] = language
    block["highlight_args"] = {"force": True}
    return block


def paragraph(text: str, quote: str = "`") -> nodes.paragraph:
    """Return a paragraph of text, with what is between quotes as code."""
    result = nodes.paragraph()
    for number, piece in enumerate(text.split(quote)):
        result += nodes.literal("", piece) if number % 2 else nodes.Text(piece)
    return result


def calls_phrase(excerpt: Excerpt) -> str:
    """Return how many calls into Python some C makes, and how many more if it fails."""
    number = len(excerpt.calls)
    calls = "1 call" if number == 1 else f"{number} calls"
    return f"{calls} into Python; {len(excerpt.failure_calls)} more if it fails"
