"""The extension's setting refuses what contradicts itself."""

from __future__ import annotations

import pytest

from sphinx_cython.core.config import Config, ConfigError, Profile


def test_the_first_profile_is_the_default_one():
    with pytest.raises(ConfigError, match="the first profile must be 'default'"):
        Config(profiles=(Profile("O3"), Profile("default")))


def test_two_profiles_cannot_have_one_name():
    with pytest.raises(ConfigError, match="same name"):
        Config(profiles=(Profile("default"), Profile("O3"), Profile("O3")))


def test_a_shared_profile_cannot_have_macros():
    with pytest.raises(ConfigError, match="'p': shared=True and macros exclude each other"):
        Profile("p", shared=True, macros=(("A", "1"),))


def test_a_profile_says_what_one_would_type():
    profile = Profile(
        "p",
        flags=("-O3", "-march=native"),
        macros=(("A", "1"), ("B", "")),
        directives=(("boundscheck", "False"),),
    )
    assert profile.invocation == "-O3 -march=native -DA=1 -DB -X boundscheck=False"


def test_a_profile_applies_to_the_examples_its_patterns_match():
    profile = Profile("no-slots", examples=("objects/*", "one"))
    assert profile.applies_to("objects/items")
    assert profile.applies_to("one")
    assert not profile.applies_to("views/items")
    assert profile.package == "no_slots"
