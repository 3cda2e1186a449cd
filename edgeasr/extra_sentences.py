"""Sentence templates beside Home Assistant's own, in its format and with its rules.

Its sentences name the lights of a room before the room ("lights in the bedroom") when they set a
level or a colour, and only some verbs; people also say "the bedroom lights", "dim" and "put".
"""

from typing import Any

__all__ = ["EXTRA_SENTENCES"]

_VERB = "(<numeric_value_set>|dim|brighten|put|lower|raise)"
_LEVEL = "[(to|at)] {brightness}[([ ]%)| percent]"
_NAMED_LEVEL = "(to|at) [the] {brightness_level:brightness} [brightness]"
_ROOM_LIGHTS = "[(<all>|<the>)] {area} <light>"
_LIGHTS_IN_ROOM = "[(<all>|<the>)] <light> <in> [<the>] {area}"
_LIGHTS = {"domain": "light"}

EXTRA_SENTENCES: dict[str, list[dict[str, Any]]] = {
    "HassLightSet": [
        {
            "sentences": [
                f"[{_VERB}] {_ROOM_LIGHTS} [brightness] {_LEVEL}",
                f"{_VERB} {_LIGHTS_IN_ROOM} [brightness] {_LEVEL}",
                f"[{_VERB}] {_ROOM_LIGHTS} [brightness] {_NAMED_LEVEL}",
                f"{_VERB} {_LIGHTS_IN_ROOM} {_NAMED_LEVEL}",
            ],
            "slots": _LIGHTS,
        },
        {"sentences": [f"[<set>] {_ROOM_LIGHTS} [color] [to] {{color}}"], "slots": _LIGHTS},
        {
            "sentences": [
                f"{_VERB} [(<all>|<the>)] <light> [<here>] {_LEVEL}",
                f"{_VERB} [(<all>|<the>)] <light> [<here>] {_NAMED_LEVEL}",
            ],
            "slots": _LIGHTS,
            "requires_context": {"area": {"slot": True}},
        },
        {
            "sentences": [f"{_VERB} [<the>] {{name}} [<light>] {_LEVEL}"],
            "requires_context": {"domain": ["light"]},
        },
    ],
}
"""By intent: `sentences`, fixed `slots`, and what `requires_context`"""
