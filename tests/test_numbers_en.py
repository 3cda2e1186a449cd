"""Numbers, times and durations in words, and the written form of transcripts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeasr.numbers_en import (
    clock_figures,
    clock_time,
    display,
    duration_s,
    number,
    on_24_hours,
    with_right_ordinals,
)

ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
]
ONES += ["fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
TENS = ["-", "-", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def spoken(value: int) -> str:
    if value < 20:
        return ONES[value]
    if value < 100:
        return TENS[value // 10] + (f" {ONES[value % 10]}" if value % 10 else "")
    if value < 1000:
        rest = f" and {spoken(value % 100)}" if value % 100 else ""
        return f"{ONES[value // 100]} hundred{rest}"
    if value < 1_000_000:
        joint = " and " if 0 < value % 1000 < 100 else " "
        rest = f"{joint}{spoken(value % 1000)}" if value % 1000 else ""
        return f"{spoken(value // 1000)} thousand{rest}"
    rest = f" {spoken(value % 1_000_000)}" if value % 1_000_000 else ""
    return f"{spoken(value // 1_000_000)} million{rest}"


@given(st.integers(0, 999_999_999))
def test_every_spoken_cardinal_is_read_back(value):
    assert number(spoken(value)) == value


@given(st.integers(0, 23), st.integers(0, 59))
def test_every_spoken_time_is_read_back(hour, minute):
    small = f"oh {spoken(minute)}" if minute < 10 else spoken(minute)
    text = f"{spoken(hour)} {small}" if minute else f"{spoken(hour)} o'clock"
    assert clock_time(f"wake me at {text}") == f"{hour:02}:{minute:02}"


@given(st.text(max_size=80))
def test_any_text_is_survived(text):
    display(text)
    number(text)
    clock_time(text)
    duration_s(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("twenty percent", 20), ("20%", 20), ("twenty-one degrees", 21), ("minus five", -5),
        ("twenty one point five degrees", 21.5), ("third", 3), ("twenty first", 21),
        ("a hundred and five", 105), ("two and a half", 2.5), ("half", 0.5), ("1,200", 1200),
        ("two three", None), ("the beatles", None), ("", None), ("one direction", None),
    ],
)  # fmt: skip
def test_numbers(text, value):
    assert number(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("half past seven", "07:30"), ("quarter to nine", "08:45"), ("seven thirty pm", "19:30"),
        ("tomorrow evening at seven", "19:00"), ("twenty five past eleven at night", "23:25"),
        ("twelve thirty a m", "00:30"), ("noon", "12:00"), ("midnight", "00:00"), ("7pm", "19:00"),
        ("eight in the morning", "08:00"), ("ten to one", "12:50"), ("7 30", "07:30"),
        ("six minutes to eight", "07:54"), ("from six to eight", None), ("from ten to eight", None),
        ("from quarter to nine", "08:45"),
        ("two days ago", None), ("in two hours", None), ("next week", None), ("25:00", None),
    ],
)  # fmt: skip
def test_clock_times(text, value):
    assert clock_time(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("an hour and a half", 5400), ("half an hour", 1800), ("two and a half hours", 9000),
        ("1 hour and 15 minutes", 4500), ("quarter of an hour", 900), ("5min", 300),
        ("a couple of minutes", 120), ("ninety seconds", 90), ("zero point five seconds", 0.5),
        ("two", None), ("tomorrow", None), ("", None),
    ],
)  # fmt: skip
def test_durations(text, value):
    assert duration_s(text) == value


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("turn on the light at seven thirty", "turn on the light at 7:30"),
        ("set it to twenty one degrees", "set it to 21 degrees"),
        ("i'm sure i think so", "I'm sure I think so"),
        ("wake me on monday at seven a m", "wake me on Monday at 7 am"),
        ("the third of may", "the 3rd of May"), ("dim it to twenty percent", "dim it to 20%"),
        ("it was nineteen eighty four", "it was 1984"),
        ("call four oh seven five five five", "call 407555"),
        ("a timer for five minutes and thirty seconds", "a timer for 5 minutes and 30 seconds"),
        ("two hundred and fifty thousand", "250,000"),
    ],
)  # fmt: skip
def test_the_written_form(text, written):
    assert display(text) == written


@pytest.mark.parametrize(
    "text",
    [
        "one of them", "march forward", "you may go", "at twenty five to eight", "half past seven",
        "wait one second", "on the second floor", "two and three", "one two three", "",
    ],
)  # fmt: skip
def test_what_could_be_wrong_stays_as_spoken(text):
    assert display(text) == text


@given(
    st.lists(
        st.sampled_from(["the", "light", "in", "kitchen", "is", "on", "one", "of", "them", "two"]),
        unique=True,
    )
)
def test_ordinary_words_are_never_changed(words):
    assert display(" ".join(words)) == " ".join(words)


def test_written_text_stays():
    for text in ("at 7:30", "21 degrees", "20% on Monday", "May 3rd, I'm in"):
        assert display(text) == text


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("the train leaves at quarter to nine", "the train leaves at 8:45"),
        ("Wake me at a quarter to nine, please.", "Wake me at 8:45, please."),
        ("half past six", "6:30"),
        ("remind me at ten past five pm", "remind me at 5:10 pm"),
        ("at ten to one", "at 12:50"),
        ("set an alarm for seven thirty a m, please", "set an alarm for 7:30 am, please"),
        ("remind me at two p m", "remind me at 2 pm"),
        ("i am a m b a student", "i am a m b a student"),
        ("at sixteen fifty nine please", "at 16:59 please"),
        ("at twenty three ten", "at 23:10"),
        ("in nineteen forty five", "in nineteen forty five"),
        ("at sixteen", "at sixteen"),
        ("at nineteen eighty four", "at nineteen eighty four"),
        ("the odds are ten to one", "the odds are ten to one"),
        ("from six to eight", "from six to eight"),
        ("in a quarter of an hour", "in a quarter of an hour"),
        ("", ""),
    ],
)
def test_times_past_or_to_an_hour_in_figures(spoken, written):
    assert clock_figures(spoken) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("at 2 pm", "at 14:00"), ("at 7:30pm.", "at 19:30."), ("at 12 am", "at 0:00"),
        ("at 12:15 p.m.", "at 12:15"), ("I am 2", "I am 2"), ("at 14 pm", "at 14 pm"),
    ],
)  # fmt: skip
def test_hours_by_the_24_hour_clock(text, written):
    assert on_24_hours(text) == written


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("on March 23r at 2:30", "on March 23rd at 2:30"), ("the 3th of May", "the 3rd of May"),
        ("on January 21s.", "on January 21st."), ("the 112th", "the 112th"),
        ("the 11st", "the 11th"), ("in the 60s", "in the 60s"), ("21st", "21st"), ("4 t", "4 t"),
    ],
)  # fmt: skip
def test_ordinals_get_their_right_ends(text, right):
    assert with_right_ordinals(text) == right
