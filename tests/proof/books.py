# SPDX-License-Identifier: Apache-2.0
"""What is wrong in a store's books: against themselves, its rows, what they said before, and the other side's."""
from .evidence import BOOK


def judge_books(books, before=None):
    """What is wrong in a store's books, in words; `before`: the same store's earlier ones."""
    wrong = [] if books.check == "ok" else [f"the file is damaged: {books.check}"]
    for place, book in books.books.items():
        name = f"{'edge' if place[0] else 'link'}, {place[1]}"
        if book["accepted"] != sum(book[figure] for figure in BOOK if figure != "accepted"):
            wrong.append(f"{name}: does not balance: {book}")
        rows = books.rows.get(place, {})
        for figure in BOOK:
            there = {"accepted": sum(rows.values()), "queued": rows.get("queued", 0) + rows.get("in flight", 0)}
            if book[figure] != there.get(figure, rows.get(figure, 0)):
                wrong.append(f"{name}: {figure} is {book[figure]} in the book, {rows} in the store")
        for figure in ("accepted", "delivered", "expired", "conflated", "dropped"):
            if before and place in before.books and book[figure] < before.books[place][figure]:
                wrong.append(f"{name}: {figure} was {before.books[place][figure]} and is {book[figure]}")
    wrong += [f"rows of {place} and no book" for place in books.rows if place not in books.books]
    wrong += [f"the book of {place} is gone" for place in (before.books if before else ()) if place not in books.books]
    return wrong


def judge_agreement(near, far, gap=0):
    """Whether what one store delivered over the link is what the other accepted from it; `gap`: what a restored
    backup no longer knows of."""
    delivered, accepted = near.total(False, "delivered"), far.total(True, "accepted")
    if delivered + gap == accepted:
        return []
    return [f"one store has delivered {delivered} over the link, the other accepted {accepted} (known gap {gap})"]
