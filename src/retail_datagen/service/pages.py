"""Pages by cursor: a page says where the next begins, so that what comes meanwhile shifts none."""

from __future__ import annotations

import base64
import binascii

from fastapi import Request

from retail_datagen.service.problems import Problem

_MOST_ID = 2**31 - 1


def read_cursor(cursor: str | None) -> int:
    """The id that the last page ended with; 0 for the first page. Raises Problem (422)."""
    if cursor is None:
        return 0
    try:
        text = base64.urlsafe_b64decode(cursor.encode("ascii") + b"==").decode("ascii")
    except (ValueError, binascii.Error):
        text = ""
    kind, _, number = text.partition(":")
    if kind != "after" or not number.isdecimal() or len(number) > 10 or int(number) > _MOST_ID:
        raise Problem(422, "cursor: this is none; take it from the page before", "cursor")
    return int(number)


def links(request: Request, last: int | None) -> dict[str, str]:
    """The headers of a page: where the next one is. `last` is the page's last id, if it is full."""
    if last is None:
        return {}
    cursor = base64.urlsafe_b64encode(f"after:{last}".encode()).decode().rstrip("=")
    url = request.url.include_query_params(cursor=cursor)
    # Relative: what the service is called from outside, it cannot know.
    return {"Link": f'<{url.path}?{url.query}>; rel="next"', "X-Next-Cursor": cursor}
