"""Sentence templates beside Home Assistant's own, in its format and with its rules.

Its sentences name the lights of a room before the room ("lights in the bedroom") when they set a
level or a colour, and only some verbs; people also say "the bedroom lights", "dim" and "put".
They have no word for all devices at once, and take "all lights off" for a question.
"""

from typing import Any

__all__ = ["EXTRA_SENTENCES", "PREFERRED", "ROOM_KNOWN"]

PREFERRED = "preferred"
"""Metadata of sentences that win over Home Assistant's own"""
ROOM_KNOWN = "room_known"
"""Context that is there when the microphone's room is known"""

_VERB = "(<numeric_value_set>|dim|brighten|put|lower|raise)"
_LEVEL = "[(to|at)] {brightness}[([ ]%)| percent]"
_NAMED_LEVEL = "(to|at) [the] {brightness_level:brightness} [brightness]"
_ROOM_LIGHTS = "[(<all>|<the>)] {area} <light>"
_LIGHTS_IN_ROOM = "[(<all>|<the>)] <light> <in> [<the>] {area}"
_LIGHTS = {"domain": "light"}

_EVERYTHING = "(everything|it all|<all> (device|devices|appliance|appliances))"
_SWITCH = "(<turn>|shut|power)"
_SOMEWHERE = "([<in>] [<the>] {area}|[<in>] [<the>] {floor} [floor])"


def _everything(state: str) -> list[dict[str, Any]]:
    """Return the sentences that turn all devices `state`: of the house, a floor or a room.

    "all" is the name by which Home Assistant means every device.
    """

    def group(place: str, **more: dict[str, Any]) -> dict[str, Any]:
        sentences = [
            f"{_SWITCH} {state} {_EVERYTHING} {place}",
            f"{_SWITCH} {_EVERYTHING} ({state};{place})",
            f"everything {state} {place}",
        ]
        return {"sentences": sentences, "slots": {"name": "all"}, **more}

    return [
        group(f"[(<everywhere>|{_SOMEWHERE})]"),
        # where the room is not known, "in here" must not become the whole house
        group("<here>", requires_context={"area": {"slot": True}, ROOM_KNOWN: True}),
    ]


EXTRA_SENTENCES: dict[str, list[dict[str, Any]]] = {
    "HassTurnOn": _everything("on"),
    "HassTurnOff": [
        *_everything("off"),
        {
            "sentences": [
                f"<all> <light> (off|out) [(<everywhere>|{_SOMEWHERE})]",
                "<all> ({area}|{floor} [floor]) <light> (off|out)",
            ],
            "slots": _LIGHTS,
            "metadata": {PREFERRED: True},
        },
    ],
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
