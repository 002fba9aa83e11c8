"""The drip with django-drip-campaigns: `python django_drip.py FOLDER SMTP_PORT PEOPLE SECONDS_BETWEEN`.

Runs in an environment of its own, see `bench.drips`. Two drips as its documentation writes them, by the date people
joined; its command `send_drips` is run again as soon as it has ended, not once a day as it ships. Prints one JSON
object when all mails have gone out.
"""
# ruff: noqa: DTZ005

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import django
from django.conf import settings

FIRST = "<html><body><p>Hello {{ user.first_name }}</p><p><a href='https://example.com/'>Look</a></p></body></html>"


def main(folder: Path, port: int, people: int, seconds: int) -> None:
    """Send both mails to everybody."""
    settings.configure(
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "drip"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "django.sqlite3")}},
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=port,
        DEFAULT_FROM_EMAIL="hello@example.com",
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        SECRET_KEY="s" * 40,
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        USE_TZ=False,
        DRIP_UNSUBSCRIBE_USERS=False,
    )
    django.setup()
    from datetime import datetime

    from django.contrib.auth.models import User
    from django.core.management import call_command
    from drip.models import Drip, QuerySetRule, SentDrip

    call_command("migrate", verbosity=0)
    for name, rule in (("first", "now-0 seconds"), ("second", f"now-{seconds} seconds")):
        drip: Any = Drip.objects.create(
            name=name, enabled=True, subject_template=f"{name} mail", body_html_template=FIRST
        )
        QuerySetRule.objects.create(drip=drip, field_name="date_joined", lookup_type="lte", field_value=rule)
    began = time.time()
    joined = datetime.now()
    User.objects.bulk_create(
        [
            User(username=f"u{n}", first_name="Hanako", email=f"p{n}@example.com", date_joined=joined)
            for n in range(people)
        ]
    )
    while SentDrip.objects.count() < 2 * people:
        call_command("send_drips")
    print(json.dumps({"began": began, "joined": joined.timestamp(), "ended": time.time()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(int(argument) for argument in sys.argv[2:5]))
