"""Templates with a site's names, normalised slots, events, site files and the command."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from edgeasr.date_words import date_value
from edgeasr.errors import ConfigError, TextError
from edgeasr.events import Intent, IntentNotRecognised
from edgeasr.moment_words import moment_value
from edgeasr.site import DEFAULT_SITE, Device, Site, read_site
from edgeasr.tagger import TaggedSlot
from edgeasr.templates import Templates
from edgeasr.understand import Understander, _hours, _whole_times, load_understander, normalise
from training.evaluation.home import HOME


@pytest.fixture(scope="module")
def templates():
    return Templates(HOME)


@pytest.fixture(scope="module")
def understander():
    return load_understander(DEFAULT_SITE)


def values(found):
    return {slot.name: slot.value for slot in found.slots}


@pytest.mark.parametrize(
    ("text", "intent", "slots"),
    [
        ("turn on the bedroom lamp", "HassTurnOn", {"name": "Bedroom Lamp"}),
        ("turn off the lights in the kitchen", "HassTurnOff",
         {"area": "Kitchen", "domain": "light"}),
        ("set the bedroom lamp brightness to twenty five percent", "HassLightSet",
         {"name": "Bedroom Lamp", "brightness": 25}),
        ("is the front door locked", "HassGetState", {"name": "Front Door", "state": "locked"}),
        ("set a timer for one hour and five minutes", "HassStartTimer",
         {"hours": 1, "minutes": 5}),
        ("set temperature to twenty point five degrees", "HassClimateSetTemperature",
         {"temperature": 20.5}),
        ("add apples to my shopping list", "HassShoppingListAddItem", {"item": "apples"}),
        ("how warm is it in here", "HassClimateGetTemperature", {}),
        ("volume down by twenty percent", "HassSetVolumeRelative", {"volume_step": -20}),
        ("who is at home", "HassGetState", {"state": "home", "domain": "person"}),
    ],
)  # fmt: skip
def test_home_assistants_sentences(templates, text, intent, slots):
    match = templates.match(text)
    assert match is not None
    assert (match.intent, values(match)) == (intent, slots)


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("set the bedroom lights to twenty percent", {"area": "Bedroom", "brightness": 20}),
        ("dim all the kitchen lights to ten", {"area": "Kitchen", "brightness": 10}),
        ("put the lights in the office at maximum", {"area": "Office", "brightness": 100}),
        ("turn the living room lights blue", {"area": "Living Room", "color": "blue"}),
        ("brighten the bedroom lamp to eighty", {"name": "Bedroom Lamp", "brightness": 80}),
    ],
)
def test_levels_and_colours_of_a_rooms_lights(templates, text, slots):
    match = templates.match(text)
    assert match is not None
    assert match.intent == "HassLightSet"
    assert slots.items() <= values(match).items()


@pytest.mark.parametrize(
    ("text", "intent", "slots"),
    [
        ("turn everything off", "HassTurnOff", {"name": "all"}),
        ("switch everything off please", "HassTurnOff", {"name": "all"}),
        ("everything off", "HassTurnOff", {"name": "all"}),
        ("turn it all off", "HassTurnOff", {"name": "all"}),
        ("turn off every device in the house", "HassTurnOff", {"name": "all"}),
        ("turn everything on", "HassTurnOn", {"name": "all"}),
        ("turn everything in the kitchen off", "HassTurnOff", {"name": "all", "area": "Kitchen"}),
        ("turn off everything upstairs", "HassTurnOff", {"name": "all", "floor": "Upstairs"}),
        ("turn all the lights off", "HassTurnOff", {"domain": "light"}),
        ("all lights off", "HassTurnOff", {"domain": "light"}),
        ("all the lights off in the office", "HassTurnOff", {"domain": "light", "area": "Office"}),
        ("all kitchen lights off", "HassTurnOff", {"domain": "light", "area": "Kitchen"}),
        ("are all lights off", "HassGetState", {"domain": "light", "state": "off"}),
        ("are all kitchen lights off", "HassGetState",
         {"domain": "light", "state": "off", "area": "Kitchen"}),
    ],
)  # fmt: skip
def test_everything_at_once(templates, text, intent, slots):
    match = templates.match(text)
    assert match is not None
    assert (match.intent, values(match)) == (intent, slots)


@pytest.mark.parametrize(
    "text", ["is everything off", "everything is off", "turn everything off except the tv"]
)
def test_not_everything_that_names_everything_is_an_order(templates, text):
    assert templates.match(text) is None


def test_everything_in_here_is_never_the_whole_house(templates):
    text = "turn off everything in here"
    assert templates.match(text) is None
    here = Templates(replace(HOME, here="Kitchen"))
    assert values(here.match(text)) == {"name": "all", "area": "Kitchen"}


def test_lights_without_a_room_are_those_of_the_microphones():
    text = "dim the lights to thirty percent"
    here = Templates(replace(HOME, here="Kitchen"))
    assert values(here.match(text)) == {"area": "Kitchen", "brightness": 30, "domain": "light"}


@pytest.mark.parametrize(
    "text",
    ["who is the president of france", "is everyone in the government", "is jane a common name",
     "where is my phone", "how many people are in london", "lights five"],
)  # fmt: skip
def test_only_the_sites_own_places_are_those_of_persons(templates, text):
    assert templates.match(text) is None


def test_a_sites_zones_are_places_of_persons():
    site = replace(HOME, zones=("home", "the office"))
    match = Templates(site).match("who is in the office")
    assert values(match) == {"state": "the office", "domain": "person"}
    assert "the office" in site.names()


def test_character_ranges_hold_the_words(templates):
    text = "please set the bedroom lamp brightness to 50%."
    match = templates.match(text)
    spans = {slot.name: text[slot.start : slot.end] for slot in match.slots if slot.text}
    assert spans == {"name": "bedroom lamp", "brightness": "50"}
    assert all(slot.text == text[slot.start : slot.end] for slot in match.slots)


def test_only_the_sites_own_names_are_known(templates):
    assert templates.match("turn on the lava lamp") is None
    own = Templates(Site(devices=(Device(name="Lava", aliases=("lava lamp",)),)))
    assert values(own.match("turn on the lava lamp")) == {"name": "Lava"}


def test_the_microphones_room_is_meant_without_a_room():
    site = replace(HOME, here="Kitchen")
    assert values(Templates(site).match("turn on the lights"))["area"] == "Kitchen"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("time", "half past seven", "07:30"), ("timeRange", "in ten minutes", 600),
        ("party_size_number", "four", 4), ("change_amount", "twenty percent", 20),
        ("artist", "fifty cent", None), ("date", "tomorrow", "P1D"),
        ("timeRange", "next monday", "XXXX-WXX-1"), ("timeRange", "this evening at eight", "20:00"),
    ],
)  # fmt: skip
def test_normalised_values(name, text, value):
    assert normalise(name, text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("today's", "P0D"), ("the day after tomorrow", "P2D"), ("yesterday", "-P1D"),
        ("tomorrow morning", "P1D"), ("on friday", "XXXX-WXX-5"), ("mondays", "XXXX-WXX-1"),
        ("in three days", "P3D"), ("two weeks from now", "P2W"), ("a month ago", "-P1M"),
        ("november the fourth", "XXXX-11-04"), ("the 4th of november 2026", "2026-11-04"),
        ("december twenty fifth", "XXXX-12-25"), ("in may", "XXXX-05"), ("march 3", "XXXX-03-03"),
        ("three days", None), ("tomorrow at eight", None), ("play march", None), ("", None),
        ("the first", None), ("may 44", None), ("march 3 4 5", None), ("on the", None),
        ("christmas", None), ("in the next five days", None), ("friday dinner", None),
    ],
)  # fmt: skip
def test_dates_without_a_clock(text, value):
    assert date_value(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("tomorrow at eight", "P1DT08:00"), ("half past seven tomorrow", "P1DT07:30"),
        ("tomorrow evening at eight", "P1DT20:00"), ("tonight at nine", "P0DT21:00"),
        ("at eight in the morning on friday", "XXXX-WXX-5T08:00"),
        ("monday noon", "XXXX-WXX-1T12:00"),
        ("in three days at six pm", "P3DT18:00"), ("at six in two days", "P2DT06:00"),
        ("november the fourth at quarter to six", "XXXX-11-04T05:45"),
        ("half past seven", "07:30"), ("every day at seven", "07:00"), ("tomorrow", None),
        ("in ten minutes", None), ("", None),
    ],
)  # fmt: skip
def test_a_day_stays_with_its_time(text, value):
    assert moment_value(text) == value


def test_timers_are_normalised_to_seconds(understander):
    found = understander.understand("set a timer for two minutes and thirty seconds")
    assert {slot.name: slot.normalised for slot in found.slots} == {"minutes": 120, "seconds": 30}


def test_what_templates_miss_the_tagger_takes(understander):
    text = "wake me up at half past seven"
    event = understander.event(text, at_s=1.0, session="s")
    assert isinstance(event, Intent)
    assert (event.intent, event.source) == ("alarm_set", "tagger")
    fields = event.to_fields()
    (slot,) = [slot for slot in fields["slots"] if slot["name"] == "time"]
    assert slot["normalised"] == "07:30"
    assert text[slot["start"] : slot["end"]] == slot["text"] == "half past seven"
    json.dumps(fields)


def test_a_time_around_to_is_one_slot(understander):
    (slot,) = understander.understand("wake me up at quarter to six").slots
    assert (slot.name, slot.text, slot.normalised) == ("time", "quarter to six", "05:45")


@pytest.mark.parametrize(
    ("text", "time", "value"),
    [
        ("book a table for tomorrow at eight", "tomorrow at eight", "P1DT08:00"),
        ("book a table at eight", "eight", "08:00"),
        ("i need a table for friday at six", "friday at six", "XXXX-WXX-5T06:00"),
    ],
)
def test_a_number_after_at_is_an_hour_not_people(understander, text, time, value):
    found = understander.understand(text)
    assert [(slot.text, slot.normalised) for slot in found.slots] == [(time, value)]


def test_people_stay_people_beside_an_hour(understander):
    (slot,) = understander.understand("book a table for four people").slots
    assert (slot.name, slot.normalised) == ("party_size_number", 4)
    text = "a table at eight for eight"
    slots = [TaggedSlot("party_size_number", "eight", at, at + 5, 0.9) for at in (11, 21)]
    assert [slot.name for slot in _hours(slots, text)] == ["timeRange", "party_size_number"]


def test_two_times_stay_two():
    text = "set alarms for six and for seven"
    slots = [TaggedSlot("time", "six", 15, 18, 0.9), TaggedSlot("time", "seven", 27, 32, 0.8)]
    assert _whole_times(slots, text) == slots


@pytest.mark.parametrize("text", ["the old man walked slowly along the river", "", "  ", "x" * 500])
def test_what_is_no_command_is_not_recognised(understander, text):
    event = understander.event(text, at_s=0.0, session=None)
    assert isinstance(event, IntentNotRecognised)
    assert event.text == text


def test_without_a_tagger_templates_decide_alone():
    alone = Understander(HOME, None)
    assert not alone.understand("book a table for two").recognised
    with pytest.raises(TextError):
        alone.understand(" ")


def test_a_site_file(tmp_path):
    path = tmp_path / "home.toml"
    path.write_text(
        'areas = ["den"]\nhere = "den"\nzones = ["work"]\n'
        '[[devices]]\nname = "lamp"\narea = "den"\naliases = ["light bulb"]\n'
    )
    site = read_site(path)
    assert site.devices == (Device(name="lamp", area="den", aliases=("light bulb",)),)
    assert site.names() == ("den", "lamp", "light bulb", "work")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("rooms = []", "rooms"), ("areas = 'den'", "areas"), ("areas = [1]", "areas"),
        ("[[devices]]\ndomain = 'light'", "name"), ("[[devices]]\nname='a'\nroom='b'", "room"),
        ("here = 'den'", "here"), ("areas = [", "site"), ("zones = 'work'", "zones"),
    ],
)  # fmt: skip
def test_a_wrong_site_file_is_refused_by_the_key(tmp_path, content, named):
    path = tmp_path / "site.toml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=named):
        read_site(path)


def test_the_command_prints_one_object_a_text():
    text = "turn off the lights in the kitchen"
    ran = subprocess.run(
        [sys.executable, "-m", "edgeasr", "understand", "--json", text, ""],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    (line,) = ran.stdout.splitlines()
    found = json.loads(line)
    assert (found["intent"], found["confidence"]) == ("HassTurnOff", 1.0)
    assert {slot["name"]: slot["value"] for slot in found["slots"]}["area"] == "kitchen"
    assert ran.returncode == 1
    assert "empty" in ran.stderr


def test_import_loads_no_matcher():
    code = "import sys, edgeasr.understand; sys.exit('hassil' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
