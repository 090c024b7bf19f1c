"""Tokens of generated C grouped into statements, blocks, conditions and loops.

The C of one source line may begin or end in the middle of a block, so nothing is an error: what
fits no form is a token by itself.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field

from .ckinds import ends_statement
from .ctokens import INACTIVE, TRIVIA, Tokens

_CONTROLS = frozenset(("if", "for", "while", "switch", "catch"))
# Words that stand before a statement or a block of their own.
_PREFIXES = frozenset(("do", "else", "try"))
# Words that may be alone on a line within a statement.
_OPEN_ENDED = re.compile(
    r"(?:auto|class|const|delete|enum|extern|goto|inline|new|register|return|signed|sizeof|static"
    r"|struct|template|throw|typedef|typename|union|unsigned|using|virtual|void|volatile)\Z"
)
_ERROR_LABEL = re.compile(r"__pyx_L\d+\w*_error\Z")
# Deeper blocks than people or Cython write are not taken apart.
_DEPTH = 100


@dataclass(slots=True)
class Node:
    """Tokens that belong together, from ``start`` up to ``end``.

    Attributes:
        form: ``"trivia"``, ``"token"``, ``"label"``, ``"statement"``, ``"block"`` or ``"control"``.
        header: Of a control, where its body starts, such as the end of ``if (…)``.
        children: What is in a block, or what follows the header of a control.
        exits: Whether a statement jumps to an error label.
        has_else: Whether a control has an ``else``.
    """

    form: str
    start: int
    end: int
    header: int = 0
    children: list[Node] = field(default_factory=list)
    exits: bool = False
    has_else: bool = False


class Parser:
    """Groups the tokens of some C.

    Attributes:
        tokens: The tokens.
        nodes: What they form, in order.
    """

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self._exits: list[int] = []
        self.nodes = self._nodes(0, len(tokens), 0)

    def exits(self, start: int, end: int) -> bool:
        """Tell whether a statement between two positions jumps to an error label."""
        at = bisect_left(self._exits, start)
        return at < len(self._exits) and self._exits[at] < end

    def ends(self, node: Node) -> bool:
        """Tell whether a node always ends with a jump to an error label."""
        last = [node]
        while last and last[-1].form == "block":
            last = [child for child in last[-1].children if child.form != "trivia"]
        return bool(last) and last[-1].exits

    def _nodes(self, position: int, end: int, depth: int) -> list[Node]:
        nodes: list[Node] = []
        while position < end:
            node = self._node(position, end, depth)
            nodes.append(node)
            position = node.end
        return nodes

    def _node(self, position: int, end: int, depth: int) -> Node:
        kind, word = self.tokens.kinds[position], self.tokens.words[position]
        if kind in TRIVIA:
            return Node("trivia", position, self._end_of_trivia(position, end))
        if word == "}" or word in _PREFIXES:
            return Node("token", position, position + 1)
        if depth > _DEPTH:
            return self._statement(position, end)
        if word == "{":
            return self._block(position, end, depth)
        if word in _CONTROLS:
            return self._control(position, end, depth)
        return self._label(position, end) or self._statement(position, end)

    def _block(self, position: int, end: int, depth: int) -> Node:
        close = self.tokens.after_bracket(position, end)
        closed = self.tokens.closing[position] == close and self.tokens.words[close - 1] == "}"
        inside = self._nodes(position + 1, close - closed, depth + 1)
        return Node("block", position, close, children=inside)

    def _control(self, position: int, end: int, depth: int) -> Node:
        tokens = self.tokens
        opening = tokens.skip_trivia(position + 1, end)
        if opening >= end or tokens.words[opening] != "(":
            return self._statement(position, end)
        node = Node("control", position, 0)
        node.header = node.end = tokens.after_bracket(opening, end)
        self._append_body(node, node.header, end, depth)
        if tokens.words[position] == "if":
            after = tokens.skip_trivia(node.end, end)
            if after < end and tokens.words[after] == "else":
                self._append_trivia(node, node.end, after)
                node.children.append(Node("token", after, after + 1))
                node.end = after + 1
                node.has_else = True
                self._append_body(node, after + 1, end, depth)
        return node

    def _append_body(self, node: Node, position: int, end: int, depth: int) -> None:
        """Add what follows a header or an ``else``; without a body, nothing."""
        body = self.tokens.skip_trivia(position, end)
        if body < end:
            self._append_trivia(node, position, body)
            node.children.append(self._node(body, end, depth + 1))
            node.end = node.children[-1].end

    def _append_trivia(self, node: Node, position: int, end: int) -> None:
        while position < end:
            after = self._end_of_trivia(position, end)
            node.children.append(Node("trivia", position, after))
            position = after

    def _end_of_trivia(self, position: int, end: int) -> int:
        """Return where a run of trivia ends; a branch that was not compiled is alone."""
        kinds = self.tokens.kinds
        after = position + 1
        if kinds[position] != INACTIVE:
            while after < end and kinds[after] in TRIVIA and kinds[after] != INACTIVE:
                after += 1
        return after

    def _label(self, position: int, end: int) -> Node | None:
        """Return a label, ``case …:`` or ``default:``, if one starts here."""
        tokens = self.tokens
        if tokens.kinds[position] != "name":
            return None
        after = tokens.skip_trivia(position + 1, end)
        if tokens.words[position] == "case":
            while after < end and tokens.words[after] not in (":", ";", "{", "}"):
                opens = tokens.words[after] == "("
                after = tokens.after_bracket(after, end) if opens else after + 1
        if after >= end or tokens.words[after] != ":":
            return None
        if after + 1 < end and tokens.words[after + 1] == ":":
            return None  # the ``::`` of C++
        return Node("label", position, after + 1)

    def _statement(self, position: int, end: int) -> Node:
        tokens = self.tokens
        words, kinds = tokens.words, tokens.kinds
        node = Node("statement", position, end)
        # Braces that are not a block: an initializer, a compound literal.
        value = words[position] == "return"
        current = position
        while current < end:
            word = words[current]
            if kinds[current] == "punct":
                if word == ";":
                    node.end = current + 1
                    break
                if word == "=":
                    value = True
                if word == "}" or (word == "{" and not value):
                    # A closing brace at the start is a token by itself.
                    node.end = max(current, position + 1)
                    break
                if word in ("(", "[", "{"):
                    current = tokens.after_bracket(current, end)
                    if current < end and self._ends_with_line(node, current, end):
                        node.end = current
                        break
                    continue
            elif kinds[current] == "name":
                if word == "__PYX_ERR" or self._jumps_to_error(current, end):
                    node.exits = True
                    self._exits.append(current)
                if ends_statement(word):
                    node.end = self._end_of_macro(current, end)
                    break
                if current == position and self._ends_with_line(node, current + 1, end):
                    node.end = current + 1
                    break
            current += 1
        return node

    def _jumps_to_error(self, position: int, end: int) -> bool:
        if self.tokens.words[position] != "goto":
            return False
        label = self.tokens.skip_trivia(position + 1, end)
        return label < end and _ERROR_LABEL.match(self.tokens.words[label]) is not None

    def _end_of_macro(self, position: int, end: int) -> int:
        """Return where a macro ends that is a statement: with its arguments and a semicolon."""
        tokens = self.tokens
        after = position + 1
        opening = tokens.skip_trivia(after, end)
        if opening < end and tokens.words[opening] == "(":
            after = tokens.after_bracket(opening, end)
        return after + (after < end and tokens.words[after] == ";")

    def _ends_with_line(self, node: Node, position: int, end: int) -> bool:
        """Tell whether a statement is a macro, with or without arguments, alone on its line.

        It has no semicolon, and the next line starts a statement of its own.
        """
        tokens = self.tokens
        start = node.start
        if tokens.kinds[start] != "name" or _OPEN_ENDED.match(tokens.words[start]):
            return False
        if position != start + 1:
            opening = tokens.skip_trivia(start + 1, position)
            if tokens.words[opening] != "(" or tokens.closing[opening] != position:
                return False
        following = tokens.skip_trivia(position, end)
        if following >= end or tokens.kinds[following] != "name":
            return False
        return any("\n" in tokens.words[n] for n in range(position, following))
