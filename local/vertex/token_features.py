"""Hashed features of tokens: where a value may start, and whether it goes on.

Every feature is one integer made from a template's number and attribute values; a row of features
is one token. Nothing but numpy runs over the tokens.
"""

from typing import Any

import numpy as np

from local.vertex.layout import GAP_LINE, Layout
from local.vertex.linear import Integers

Hashes = np.ndarray[Any, np.dtype[np.uint64]]

_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)
_APART = 8
_EDGES = np.array([12, 20])


def _mix(template: int, *parts: Integers) -> Hashes:
    """Combine a template's number and attribute values into one hash a row."""
    hashed = np.full(len(parts[0]), template + 1, dtype=np.uint64) * _MIX
    for part in parts:
        hashed = (hashed ^ part.astype(np.uint64)) * _MIX
        hashed ^= hashed >> _SHIFT
    return hashed


def _shifted(values: Integers, offset: int) -> Integers:
    """Give each token the value of the token `offset` further on, 0 beyond the ends."""
    moved = np.zeros_like(values)
    if offset == 0:
        return values
    if abs(offset) >= len(values):
        return moved
    if offset > 0:
        moved[:-offset] = values[offset:]
    else:
        moved[-offset:] = values[:offset]
    return moved


def _bucket(values: Integers) -> Integers:
    """Keep small numbers apart and large ones together."""
    return np.where(values < _APART, values, _APART + np.searchsorted(_EDGES, values))


def start_features(layout: Layout) -> Hashes:
    """Describe each token as a possible start of a value.

    Args:
        layout: A text with at least one token.

    Returns:
        Feature hashes (tokens x templates).
    """
    line = layout.line
    word, shape = layout.word, layout.shape
    before, before2, before3 = (_shifted(word, -k) for k in (1, 2, 3))
    after, after2 = _shifted(word, 1), _shifted(word, 2)
    shape_before, shape_after = _shifted(shape, -1), _shifted(shape, 1)
    top = _bucket(line)
    bottom = _bucket(layout.lines - 1 - line)
    tenth = line * 10 // max(layout.lines, 1)
    first = layout.line_first[line]
    opens = (layout.place == 0).astype(np.int64)
    closes = (layout.rest == 0).astype(np.int64)
    line_shape = layout.line_shape[line]

    def neighbour(values: Integers, offset: int) -> Integers:
        return _shifted(values, offset)[line]

    up, up2 = neighbour(layout.line_first, -1), neighbour(layout.line_first, -2)
    up_second = neighbour(layout.line_second, -1)
    down = neighbour(layout.line_first, 1)
    cue, distance = layout.cue_words[line], layout.cue_distance[line]
    columns = [
        _mix(0, np.zeros_like(line)),
        _mix(1, word),
        _mix(2, shape),
        _mix(3, before),
        _mix(4, before2),
        _mix(5, before3),
        _mix(6, after),
        _mix(7, after2),
        _mix(8, before, word),
        _mix(9, word, after),
        _mix(10, before2, before),
        _mix(11, shape_before, shape),
        _mix(12, shape, shape_after),
        _mix(13, shape_before, shape, shape_after),
        _mix(14, before, shape),
        _mix(15, layout.prefix),
        _mix(16, layout.suffix),
        _mix(17, top, opens, line_shape),
        _mix(18, bottom, shape),
        _mix(19, tenth, shape),
        _mix(20, opens, closes, shape),
        _mix(21, layout.place.clip(0, 6), layout.line_length[line]),
        _mix(22, line_shape, opens),
        _mix(23, first, shape),
        _mix(24, layout.line_last[line], opens),
        _mix(25, up, shape),
        _mix(26, up, up_second, shape),
        _mix(27, up2, shape),
        _mix(28, down, shape),
        _mix(29, neighbour(layout.line_last, 1), opens),
        _mix(30, neighbour(layout.line_shape, -1), line_shape, opens),
        _mix(31, neighbour(layout.line_shape, 1), line_shape, opens),
        _mix(32, layout.amount, closes),
        _mix(33, layout.amount, layout.repeats),
        _mix(34, layout.amount, cue[:, 0]),
        _mix(35, first, layout.line_second[line], shape),
        _mix(36, cue[:, 0], cue[:, 1], shape),
        _mix(37, distance, shape),
        _mix(38, neighbour(layout.line_last, -1), opens),
        _mix(39, top, opens),
        *(_mix(40, cue[:, k], shape) for k in range(cue.shape[1])),
        # The words before on the same line, in any order.
        *(
            _mix(41, np.where(layout.place >= k, _shifted(word, -k), 0), shape)
            for k in (1, 2, 3, 4)
        ),
    ]
    return np.stack(columns, axis=1)


def continue_features(layout: Layout, starts: Integers, tokens: Integers) -> Hashes:
    """Describe, for tokens inside a value, whether the value goes on to the next token.

    Args:
        layout: The text.
        starts: The token where the value starts, one a row.
        tokens: The token reached, one a row; it is never the text's last token.

    Returns:
        Feature hashes (rows x templates).
    """
    following = tokens + 1
    gap = layout.gap[following]
    breaks = (gap == GAP_LINE).astype(np.int64)
    length = _bucket(tokens - starts)
    lines = (layout.line[tokens] - layout.line[starts]).clip(0, 6)
    next_line = layout.line[following]
    word, shape = layout.word[tokens], layout.shape[tokens]
    word_next, shape_next = layout.word[following], layout.shape[following]
    last = len(layout.words) - 1
    word_after = np.where(following < last, layout.word[np.minimum(following + 1, last)], 0)
    at_break = np.where(breaks == 1, next_line + 1, 0)

    def beyond(values: Integers) -> Integers:
        return np.where(at_break > 0, values[next_line], 0)

    line_after = np.minimum(next_line + 1, layout.lines - 1)
    columns = [
        _mix(100, np.zeros_like(tokens)),
        _mix(101, breaks),
        _mix(102, length, breaks),
        _mix(103, lines, breaks),
        _mix(104, word, breaks),
        _mix(105, word_next, breaks),
        _mix(106, word, word_next),
        _mix(107, shape, shape_next, gap),
        _mix(108, shape, breaks),
        _mix(109, shape_next, breaks),
        _mix(110, word_after, breaks),
        _mix(111, gap, shape_next),
        _mix(112, beyond(layout.line_first), lines),
        _mix(113, beyond(layout.line_second)),
        _mix(114, beyond(layout.line_last)),
        _mix(115, beyond(layout.line_shape), lines),
        _mix(116, beyond(layout.line_shape), beyond(layout.line_length)),
        _mix(117, np.where(breaks == 1, _bucket(next_line) + 1, 0)),
        _mix(118, layout.suffix[tokens], breaks),
        _mix(119, layout.word[starts], breaks),
        _mix(120, layout.shape[starts], length),
        _mix(121, word_next, word_after, breaks),
        _mix(122, np.where(breaks == 1, layout.line_first[line_after], 0)),
        _mix(123, np.where(breaks == 1, layout.line_shape[line_after], 0), lines),
        _mix(124, np.where(breaks == 1, layout.line_last[layout.line[tokens]], 0), lines),
    ]
    return np.stack(columns, axis=1)
