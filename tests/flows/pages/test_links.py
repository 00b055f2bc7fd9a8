"""Links of the pages lead somewhere, and every page is reached."""

from pathlib import Path

import pytest

from tests.flows.pages.reading import PAGES, ROOT, anchors, links, name_of


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for target in links(page):
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{target} of {name_of(page)} is not there"
        assert file.is_relative_to(ROOT), f"{target} of {name_of(page)} leaves the repository"
        if anchor:
            assert anchor in anchors(file), f"{target} of {name_of(page)} has no such heading"


def test_there_are_links_to_check() -> None:
    assert sum(len(links(page)) for page in PAGES) > 20


def test_every_page_and_picture_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    following = [ROOT / "README.md"]
    while following:
        page = following.pop()
        if page in reached:
            continue
        reached.add(page)
        if page.suffix == ".md":
            found = (target.partition("#")[0] for target in links(page))
            following += [(page.parent / target).resolve() for target in found if target]
    pictures = [*(ROOT / "docs").glob("*.png"), *(ROOT / "docs" / "pictures").iterdir()]
    assert len(pictures) >= 2
    assert {*PAGES, *pictures} <= reached
