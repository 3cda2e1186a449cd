"""`edgeasr understand`: the intent and slots of texts."""

import argparse
from dataclasses import asdict
from pathlib import Path

from edgeasr.cli.inputs import Commands, print_json, serve_texts
from edgeasr.site import DEFAULT_SITE, read_site
from edgeasr.understand import Understanding, load_understander

__all__ = ["add_parser", "run"]


def add_parser(commands: Commands) -> None:
    """Add the command's arguments."""
    parser = commands.add_parser("understand", help="find the intent of texts, or lines from stdin")
    parser.add_argument("text", nargs="*", metavar="TEXT", help="without any, lines from stdin")
    parser.add_argument(
        "--site", type=Path, metavar="FILE", help="rooms and devices; without, an ordinary home"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Understand each text; one that can not be read is named, the rest is served."""
    site = read_site(arguments.site) if arguments.site else DEFAULT_SITE
    understander = load_understander(site)

    def one(text: str) -> None:
        _print(text, understander.understand(text), as_json=arguments.json)

    return serve_texts(arguments.text, one)


def _print(text: str, found: Understanding, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "text": text,
                "intent": found.intent if found.recognised else None,
                "confidence": round(found.confidence, 3),
                "slots": [asdict(slot) for slot in found.slots] if found.recognised else [],
                "source": found.source,
            }
        )
        return
    if not found.recognised:
        print(f"not recognised (best guess: {found.intent or 'no command'} {found.confidence:.2f})")
        return
    slots = []
    for slot in found.slots:
        value = slot.value if slot.normalised is None else slot.normalised
        slots.append(f"{slot.name}={value}")
    print("  ".join([found.intent, f"{found.confidence:.2f}", *slots]), flush=True)
