"""A claim is shown as checked only if its check ran and passed in this build."""

from __future__ import annotations

import pytest
from support import CONF, Site

CLAIM = "[One and one is two.]{#claim-sum}"
PAGE = f"# Home\n\n{CLAIM}\n\n```{{toctree}}\nclaims\n```\n"
LIST = "# Claims\n\n```{claims}\n```\n"
CHECK = """
import pytest

ONE = 1


@pytest.mark.claim("index.md", "sum")
def test_the_sum():
    assert ONE + 1 == 2
"""
MORE = """
extensions.append("publishing.claims")
myst_enable_extensions = ["attrs_inline"]
"""


@pytest.fixture
def claimed(site: Site) -> Site:
    """A site with a claim, its check and the list of claims."""
    site.configure(more=MORE)
    conftest = (CONF.parent / "examples/tests/conftest.py").read_text()
    site.write(
        {
            "docs/index.md": PAGE,
            "docs/claims.md": LIST,
            "examples/tests/conftest.py": conftest,
            "examples/tests/test_sums.py": CHECK,
        }
    )
    return site


def test_a_mark_leads_from_the_sentence_to_its_check_and_back(claimed: Site):
    claimed.passes()
    index = claimed.page("index")
    mark = index.select_one("#claim-sum > a.claim-check")
    assert mark.text == "✓"
    assert mark["title"] == "Checked in this build: the sum"
    assert mark["href"] == "_checks/test_sums.html#test_the_sum"
    checks = claimed.page("_checks/test_sums")
    section = checks.find(id="test_the_sum")
    assert section.select_one(".claim-checked a")["href"] == "../index.html#claim-sum"
    assert section.select_one(".claim-checked").text == "One and one is two."
    code = "".join(block.get_text() for block in checks.select(".highlight"))
    assert code.split() == CHECK.split()
    entry = claimed.page("claims").select_one("ul.claims li")
    assert [link["href"] for link in entry.find_all("a")] == [
        "index.html#claim-sum",
        "_checks/test_sums.html#test_the_sum",
    ]


def test_a_claim_without_a_check(claimed: Site):
    claimed.write({"docs/index.md": PAGE.replace("two.", "two.]{#claim-other} [Or three.")})
    run = claimed.fails()
    assert "no check for the claim index#claim-other" in run.err


def test_a_check_without_a_claim(claimed: Site):
    claimed.write({"docs/index.md": PAGE.replace(CLAIM, "[One.]{#claim-one}")})
    run = claimed.fails()
    assert "no check for the claim index#claim-one" in run.err
    assert "test_the_sum checks index#claim-sum, which is in no page" in run.err


@pytest.mark.parametrize(
    ("change", "reason"),
    [(("ONE = 1", "ONE = 2"), "assert (2 + 1) == 2"), (("ONE = 1", "ONE = one"), "")],
    ids=["wrong", "broken"],
)
def test_a_check_that_fails(claimed: Site, change: tuple[str, str], reason: str):
    claimed.passes()
    claimed.write({"examples/tests/test_sums.py": CHECK.replace(*change)})
    run = claimed.fails()
    assert "index#claim-sum" in run.err
    assert reason in run.err
    if reason:
        assert claimed.page("index").select_one("a.claim-check").text == "check failed"
    # It is not forgotten, and passes after a fix.
    claimed.fails()
    claimed.write({"examples/tests/test_sums.py": CHECK})
    claimed.passes()
    assert claimed.page("index").select_one("a.claim-check").text == "✓"


def test_a_check_that_cannot_run_here(claimed: Site):
    skip = 'def test_the_sum():\n    pytest.skip("no abacus")'
    claimed.write({"examples/tests/test_sums.py": CHECK.replace("def test_the_sum():", skip)})
    claimed.passes()
    mark = claimed.page("index").select_one("a.claim-check")
    assert mark.text == "not run here"
    assert mark["title"] == "Not checked in this build: no abacus"
    assert "(not run here: no abacus)" in claimed.page("claims").text


def test_checks_run_again_only_when_something_has_changed(claimed: Site):
    assert "checking the claims" in claimed.passes().out
    assert "checking the claims" not in claimed.passes().out
    (claimed.root / "docs/index.md").touch()
    assert "checking the claims" not in claimed.passes().out
    renamed = CHECK.replace("test_the_sum", "test_the_total")
    claimed.write({"examples/tests/test_sums.py": renamed})
    run = claimed.passes()
    assert "checking the claims" in run.out
    assert run.written >= {"index", "claims"}
    href = claimed.page("index").select_one("a.claim-check")["href"]
    assert href == "_checks/test_sums.html#test_the_total"
    add = "examples/plain/add.pyx"
    claimed.write({add: (claimed.root / add).read_text() + "# more\n"})
    assert "checking the claims" in claimed.passes().out


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_of_several_runs_of_a_check_the_worst_counts(claimed: Site, jobs: str):
    several = '@pytest.mark.parametrize("more", [1, 2])\n@pytest.mark.claim'
    check = CHECK.replace("@pytest.mark.claim", several).replace("sum():", "sum(more):")
    claimed.write({"examples/tests/test_sums.py": check.replace("ONE + 1", "ONE + more")})
    assert "failed its check" in claimed.fails("-j", jobs).err
