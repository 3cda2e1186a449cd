"""Training speech from text, and what a phrase sounds like."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.train

from training.pronunciation import Pronunciations, edit_distance  # noqa: E402
from training.synthesis import Job, Voice, mixed_voices, synthesise, synthesise_many, trim, voices  # noqa: E402
from training.synthesis_engines import SynthesisError  # noqa: E402
from training.wake_phrase import PhraseError, check_phrase, slug  # noqa: E402

DICTIONARY = """\
hey HH EY1
hay HH EY1
may M EY1
marvin M AA1 R V IH0 N
marvins M AA1 R V IH0 N Z
martin M AA1 R T AH0 N
lamp L AE1 M P
okay OW2 K EY1
"""


@pytest.fixture
def pronunciations(tmp_path: Path) -> Pronunciations:
    (tmp_path / "cmudict.dict").write_text(DICTIONARY)
    (tmp_path / "text.txt").write_text("Okay lamp now. " * 20)
    return Pronunciations(tmp_path / "cmudict.dict", [tmp_path / "text.txt"])


def one_voice() -> Voice:
    found = voices(["espeak", "flite"])
    if not found:
        pytest.skip("neither espeak-ng nor flite is installed")
    return found[0]


def test_a_clip_is_trimmed_and_half_of_full_scale() -> None:
    pcm = synthesise(one_voice(), "hey marvin")
    assert pcm.dtype == np.int16
    assert 0.3 * 16000 < len(pcm) < 2 * 16000
    assert np.abs(pcm).max() == pytest.approx(16384, rel=0.01)
    assert len(trim(np.pad(pcm, 8000))) == pytest.approx(len(pcm), abs=320)


def test_a_faster_rate_is_shorter() -> None:
    slow = synthesise(one_voice(), "hey marvin", rate=0.8)
    fast = synthesise(one_voice(), "hey marvin", rate=1.3)
    assert len(fast) < 0.8 * len(slow)


def test_silence_is_an_error_and_is_left_out_of_many() -> None:
    voice = one_voice()
    with pytest.raises(SynthesisError, match="nothing"):
        synthesise(voice, "  ")
    made = list(synthesise_many([Job(voice, " "), Job(voice, "marvin")]))
    assert [job.text for job, _ in made] == ["marvin"]


def test_mixed_voices_are_of_one_accent_and_repeat_with_the_seed() -> None:
    pool = [Voice("kokoro", name, "") for name in ("af_a", "am_b", "bf_c", "bm_d", "zf_e")]
    mixed = mixed_voices(10, seed=3, pool=pool)
    assert {voice.name for voice in mixed} == {"af_a+am_b", "bf_c+bm_d"}
    assert mixed == mixed_voices(10, seed=3, pool=pool)


def test_similar_phones_cost_half() -> None:
    assert edit_distance(("P", "IH"), ("B", "IH")) == 0.5
    assert edit_distance(("P", "IH"), ("IH",)) == 1


def test_near_misses_are_near_and_never_hold_the_phrase(pronunciations: Pronunciations) -> None:
    near = pronunciations.near_misses("hey marvin", 20)
    assert {"hey", "marvin", "may marvin", "hey martin"} <= set(near)
    assert not {"hay marvin", "hey marvins", "hey marvin"} & set(near)


def test_festivals_dictionary_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "cmudict-0.4.out"
    path.write_text('MNCL\n("marvin" nil (((m aa r) 1) ((v ax n) 0)))\n')
    assert Pronunciations(path).of("marvin") == ("M", "AA", "R", "V", "AH", "N")


@pytest.mark.parametrize(
    ("phrase", "reason"),
    [("lamp", "too short"), ("okay lamp", "too common"), ("hey zyx", "zyx"), ("", "letters")],
)
def test_bad_phrases_are_refused_with_the_reason(
    pronunciations: Pronunciations, phrase: str, reason: str
) -> None:
    with pytest.raises(PhraseError, match=reason):
        check_phrase(phrase, pronunciations)


def test_who_insists_gets_a_phrase_that_is_short_or_common(pronunciations: Pronunciations) -> None:
    assert check_phrase("lamp", pronunciations, insist=True) == "lamp"
    with pytest.raises(PhraseError, match="zyx"):
        check_phrase("hey zyx", pronunciations, insist=True)


def test_a_good_phrase_passes(pronunciations: Pronunciations) -> None:
    assert check_phrase("Hey  Marvin", pronunciations) == "hey marvin"
    assert slug("Hey Marvin") == "wake-hey-marvin"
    assert slug("hey marvin", "view glass") == "wake-hey-marvin-and-view-glass"


def test_a_refusal_suggests_something_that_passes(pronunciations: Pronunciations) -> None:
    with pytest.raises(PhraseError) as refused:
        check_phrase("lamp", pronunciations)
    assert "'hey lamp'" in str(refused.value)
