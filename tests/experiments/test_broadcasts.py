"""A broadcast's content under test: the same test object, page by page, over a real relay."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from sqlalchemy import select

from models.database import Database, table
from models.deciding import decide
from models.exposure import Exposure
from tabiji import arm, content_test
from tests.broadcasts.hall import addresses, crowd, hall

LAYOUT = "<title>{% block subject %}{% endblock %}</title><p>{% block body %}{% endblock %}</p>"
SALE = """{% extends "_layout.html" %}
{% block subject %}Sale{% endblock %}
{% block subject_warm %}Something for you{% endblock %}
{% block body %}{% if variant == "warm" %}Dear you{% else %}Hello{% endif %}{% endblock %}
"""
STORY = """{% extends "_layout.html" %}{% block subject %}A story{% endblock %}"""
TEST = content_test("sale subject", {"plain": arm(), "warm": arm(), "story": arm(template="story")})
SUBJECTS = {"plain": "Sale", "warm": "Something for you", "story": "A story"}


async def test_each_person_of_a_broadcast_is_given_an_arm_and_the_rest_the_winner(
    sqlite: Database, tmp_path: Path
) -> None:
    (tmp_path / "email").mkdir()
    for name, text in (("_layout", LAYOUT), ("sale", SALE), ("story", STORY)):
        (tmp_path / "email" / f"{name}.html").write_text(text)
    rows = table(Exposure)
    async with hall(sqlite, tmp_path) as house:
        await crowd(sqlite, addresses(40))
        id = await house.create(content=TEST, template="sale")
        await house.finish(id)
        async with sqlite.read() as tx:
            given = (await tx.execute(select(rows))).all()
        assert len(given) == 40
        assert {(one.broadcast_id, one.enrollment_id) for one in given} == {(id, None)}
        got = Counter(str(mail["Subject"]) for mail in house.relay.mails)
        assert got == Counter(SUBJECTS[one.arm] for one in given)
        assert len(got) == 3
        warm = next(mail for mail in house.relay.mails if mail["Subject"] == SUBJECTS["warm"])
        assert "Dear you" in warm.as_string()

        await decide(sqlite, "sale subject", "warm", by="Sato")
        await crowd(sqlite, [f"late{n}@example.jp" for n in range(5)])
        await house.finish(await house.create(content=TEST, template="sale"))
        async with sqlite.read() as tx:
            late = (await tx.execute(select(rows.c.arm).where(rows.c.chosen == "winner"))).scalars().all()
    assert late == ["warm"] * 5
    assert len({str(mail["Subject"]) for mail in house.relay.mails[40:]}) == 3, "who has an arm keeps it"
