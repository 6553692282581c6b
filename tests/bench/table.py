# SPDX-License-Identifier: Apache-2.0
"""The figures of a run: Tulpar's, the peer's, their ratio, the limit, and whether it holds; as a table and as JSON."""
import json
from dataclasses import dataclass

HEADS = ("figure", "Tulpar", "peer", "ratio", "limit", "")


@dataclass(frozen=True)
class Row:
    figure: str  # with its unit
    tulpar: float
    peer: float = None  # None: there is no such figure
    at_most: float = None  # of Tulpar's figure; no limit at all: for information
    at_least: float = None
    ratio_at_least: float = None  # of Tulpar's figure to the peer's

    @property
    def ratio(self):
        return self.tulpar / self.peer if self.peer else None

    @property
    def limit(self):
        if self.at_most is not None:
            return f"at most {number(self.at_most)}"
        if self.at_least is not None:
            return f"at least {number(self.at_least)}"
        return "" if self.ratio_at_least is None else f"ratio at least {number(self.ratio_at_least)}"

    @property
    def holds(self):
        """None: there is no limit."""
        if self.at_most is not None:
            return self.tulpar <= self.at_most
        if self.at_least is not None:
            return self.tulpar >= self.at_least
        return None if self.ratio_at_least is None else self.ratio is not None and self.ratio >= self.ratio_at_least


def number(value):
    if value is None:
        return "-"
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.2f}"


class Table:
    def __init__(self):
        self.rows, self.notes = [], {}

    def add(self, figure, tulpar, peer=None, **limit):
        self.rows.append(Row(figure, tulpar, peer, **limit))

    def note(self, name, value):
        """A circumstance of the measurement."""
        self.notes[name] = value

    @property
    def ok(self):
        return all(row.holds is not False for row in self.rows)

    def text(self):
        verdicts = {True: "OK", False: "no", None: ""}
        cells = [HEADS] + [(row.figure, number(row.tulpar), number(row.peer), number(row.ratio), row.limit,
                            verdicts[row.holds]) for row in self.rows]
        widths = [max(len(line[n]) for line in cells) for n in range(len(HEADS))]
        sides = (str.ljust, str.rjust, str.rjust, str.rjust, str.ljust, str.ljust)
        lines = ["  ".join(side(cell, width) for side, cell, width in zip(sides, line, widths)).rstrip()
                 for line in cells]
        lines.insert(1, "-" * max(map(len, lines)))
        return "\n".join(lines)

    def line(self):
        def rounded(value):
            return round(value, 4) if isinstance(value, float) else value

        rows = [{"figure": row.figure, "tulpar": rounded(row.tulpar), "peer": rounded(row.peer),
                 "ratio": rounded(row.ratio), "limit": row.limit, "ok": row.holds} for row in self.rows]
        return json.dumps({"bench": "tulpar", **self.notes, "rows": rows, "ok": self.ok})
