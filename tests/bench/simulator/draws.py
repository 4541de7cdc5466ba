"""Randomness: one seeded source for each purpose, and names that say nothing."""

from __future__ import annotations

import math
import string
from random import Random

MINUTE_NS = 60_000_000_000
HOUR_NS = 60 * MINUTE_NS
SECOND_NS = 1_000_000_000

_CONSONANTS, _VOWELS = "bdfgklmnprstvz", "aeiou"


class Draws(Random):
    """A seeded source with the few distributions that are needed here."""

    def lognormal(self, median: float, spread: float) -> float:
        """A positive number around ``median``; ``spread`` is the standard deviation of its logarithm."""
        return median * math.exp(self.gauss(0.0, spread))

    def log_uniform(self, low: float, high: float) -> float:
        """Between two positive numbers, every factor as likely as any other."""
        return math.exp(self.uniform(math.log(low), math.log(high)))

    def chance(self, probability: float) -> bool:
        """Whether something of this probability happens."""
        return self.random() < probability

    def times(self, per_hour: float, from_ns: int, to_ns: int) -> list[int]:
        """Instants of a Poisson process, ascending."""
        found, at = [], float(from_ns)
        while per_hour > 0:
            at += self.expovariate(per_hour) * HOUR_NS
            if at >= to_ns:
                break
            found.append(int(at))
        return found

    def hex(self, digits: int) -> str:
        """Random hexadecimal digits, the first of them a letter."""
        return self.choice("abcdef") + "".join(self.choice("0123456789abcdef") for _ in range(digits - 1))


class Namer:
    """Pronounceable words, each given once; the order of asking leaves no trace in them."""

    def __init__(self, draws: Draws) -> None:
        self._draws = draws
        self._given: set[str] = set()

    def word(self) -> str:
        """A new word."""
        while True:
            syllables = self._draws.randint(2, 3)
            word = "".join(self._draws.choice(_CONSONANTS) + self._draws.choice(_VOWELS) for _ in range(syllables))
            if word not in self._given:
                self._given.add(word)
                return word

    def change_id(self) -> str:
        """A new id of a change."""
        return "".join(self._draws.choice(string.ascii_lowercase + string.digits) for _ in range(12))
