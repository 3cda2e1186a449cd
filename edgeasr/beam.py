"""Greedy and beam search over an autoregressive decoder, length-normalised (Wu et al. 2016)."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from edgeasr.session import Array

__all__ = ["BeamConfig", "Hypothesis", "Step", "beam_search", "greedy_search", "length_penalty"]

Step = Callable[[Array, Array], tuple[Array, Array, Array]]
"""tokens int64 [beams], state float32 [beams, ...] -> log-probabilities float32 [beams, tokens],
new state, attention float32 [beams, source]"""


@dataclass(frozen=True, kw_only=True)
class BeamConfig:
    """How to search."""

    begin: int
    end: int
    max_length: int
    """Tokens after which a hypothesis is cut, the end mark not counted"""
    width: int = 4
    n_best: int = 1
    """Finished hypotheses that are wanted, at most `width`"""
    alpha: float = 0.8
    """Exponent of the length penalty; 0 compares plain log-probabilities"""
    repeats: int = 3
    """A group of up to four tokens that would follow itself so often ends the hypothesis's life"""


@dataclass(frozen=True)
class Hypothesis:
    """One translation of the search."""

    tokens: tuple[int, ...] = ()
    """Without begin and end marks"""
    log_probability: float = 0.0
    token_log_probabilities: tuple[float, ...] = ()
    """One per token, and one for the end mark where it was reached"""
    attention: tuple[Array, ...] = field(default=(), compare=False)
    """A float32 [source] per entry of `token_log_probabilities`"""
    ended: bool = False
    """Whether the end mark was reached within the maximum length"""

    def score(self, alpha: float) -> float:
        """Return the log-probability divided by the length penalty."""
        return self.log_probability / length_penalty(len(self.token_log_probabilities), alpha)


def length_penalty(length: int, alpha: float) -> float:
    """Return ((5 + length) / 6) ** alpha."""
    return float(((5 + length) / 6) ** alpha)


def greedy_search(step: Step, state: Array, config: BeamConfig) -> Hypothesis:
    """Return the hypothesis of the likeliest token at each step; `state` float32 [1, ...].

    Only the guard against loops overrules the likeliest token.
    """
    current, token = Hypothesis(), config.begin
    while len(current.tokens) < config.max_length:
        scores, state, attention = step(np.array([token], np.int64), state)
        order = np.argsort(-scores[0], kind="stable")
        token = next(int(t) for t in order if not _loops((*current.tokens, int(t)), config))
        current = _extend(current, token, float(scores[0, token]), attention[0], config)
        if current.ended:
            break
    return current


def beam_search(step: Step, state: Array, config: BeamConfig) -> list[Hypothesis]:
    """Return 1 to `width` hypotheses, best normalised score first; `state` float32 [1, ...].

    All live beams go through the decoder in one call. A beam that reaches its end leaves and
    narrows the search (Sutskever et al. 2014), so that width 1 is greedy search.
    """
    live, done = [Hypothesis()], list[Hypothesis]()
    tokens = np.array([config.begin], np.int64)
    for _ in range(config.max_length):
        scores, state, attention = step(tokens, state)
        parents, candidates = _candidates(scores, live, config.width - len(done), config)
        kept = list[int]()
        fresh = list[Hypothesis]()
        for parent, token in zip(parents, candidates, strict=True):
            grown = _extend(
                live[parent], token, float(scores[parent, token]), attention[parent], config
            )
            if grown.ended:
                done.append(grown)
            else:
                fresh.append(grown)
                kept.append(parent)
        live = fresh
        if not live or _settled(live, done, config):
            break
        state = state[np.array(kept)]
        tokens = np.array([hypothesis.tokens[-1] for hypothesis in live], np.int64)
    finished = done or live
    return sorted(finished, key=lambda h: -h.score(config.alpha))[: config.width]


def _candidates(
    scores: Array, live: list[Hypothesis], count: int, config: BeamConfig
) -> tuple[list[int], list[int]]:
    """Return parent beams and tokens of the `count` best continuations, best first."""
    sums = scores.astype(np.float64) + np.array([[h.log_probability] for h in live])
    flat = sums.ravel()
    spare = min(len(flat), count + 8)  # some may be loops
    top = np.argpartition(-flat, spare - 1)[:spare]
    top = top[np.lexsort((top, -flat[top]))]
    parents, tokens = list[int](), list[int]()
    for parent, token in zip(*np.divmod(top, scores.shape[1]), strict=True):
        if len(tokens) < count and not _loops((*live[parent].tokens, int(token)), config):
            parents.append(int(parent))
            tokens.append(int(token))
    return parents, tokens


def _extend(
    parent: Hypothesis, token: int, log_probability: float, attention: Array, config: BeamConfig
) -> Hypothesis:
    ended = token == config.end
    return Hypothesis(
        tokens=parent.tokens if ended else (*parent.tokens, token),
        log_probability=parent.log_probability + log_probability,
        token_log_probabilities=(*parent.token_log_probabilities, log_probability),
        attention=(*parent.attention, attention),
        ended=ended,
    )


def _settled(live: list[Hypothesis], done: list[Hypothesis], config: BeamConfig) -> bool:
    """Return whether no live beam can still enter the wanted finished ones."""
    if len(done) >= config.width:
        return True
    if len(done) < config.n_best:
        return False
    worst_wanted = sorted((h.score(config.alpha) for h in done), reverse=True)[config.n_best - 1]
    reachable = max(h.log_probability for h in live)
    return reachable / length_penalty(config.max_length + 1, config.alpha) < worst_wanted


def _loops(tokens: tuple[int, ...], config: BeamConfig) -> bool:
    """Return whether the last tokens are one group said `repeats` times over."""
    for size in range(1, 5):
        times = config.repeats + (1 if size == 1 else 0)
        tail = tokens[-size * times :]
        if len(tail) == size * times and tail == tail[:size] * times:
            return True
    return False
