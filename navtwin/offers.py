"""What installed rooms offer under `navtwin.sources`: this one looks them up by name and knows none of them."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from navtwin.errors import InputRefused, nearest


def source_offer(address: str, option: str = "--source ") -> tuple[EntryPoint, str]:
    """The source that some installed room offers under the scheme of `scheme:rest`, and the rest. `option` is where the user writes an address.

    Raises
    ------
    InputRefused : no scheme, or one that no room offers
    """
    offers = {e.name: e for e in entry_points(group="navtwin.sources")}
    scheme, colon, rest = address.partition(":")
    if not colon:
        raise InputRefused(f"source '{address}' names no kind", f"write {option}KIND:{address}, with KIND one of {', '.join(sorted(offers))}")
    if scheme not in offers:
        raise InputRefused(f"no source of kind '{scheme}' is installed", nearest(scheme, offers))
    return offers[scheme], rest
