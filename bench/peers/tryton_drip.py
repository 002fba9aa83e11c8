"""The drip with trytond-marketing-automation: `python tryton_drip.py FOLDER SMTP_PORT PEOPLE SECONDS_BETWEEN`.

Runs in an environment of its own, see `bench.drips`. One scenario with two activities, as its own tests write it; its
two cron jobs are run again as soon as they have ended, not every hour and every quarter of an hour as they ship. Prints
one JSON object when all mails have gone out.
"""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

MAIL = "<html><body><p>Hello ${record.rec_name}</p><p><a href='https://example.com/'>Look</a></p></body></html>"


def main(folder: Path, port: int, people: int, seconds: int) -> None:
    """Send both mails to everybody."""
    conf = folder / "trytond.conf"
    conf.write_text(
        f"[database]\nuri = sqlite://\npath = {folder}\n"
        f"[email]\nuri = smtp://127.0.0.1:{port}\nfrom = hello@example.com\n"
        "[marketing]\nemail_from = hello@example.com\nautomation_base = http://127.0.0.1:8000\n"
        "[web]\nhostname = 127.0.0.1:8000\n"
    )
    (folder / "drip.sqlite").touch()
    (folder / "password").write_text("correct-horse-battery")
    admin = Path(sys.executable).parent / "trytond-admin"
    options = ("-u", "marketing_automation", "--activate-dependencies", "--email", "admin@example.com")
    subprocess.run(
        [sys.executable, str(admin), "-c", str(conf), "-d", "drip", *options],
        check=True,
        env={**os.environ, "TRYTONPASSFILE": str(folder / "password")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    from trytond import config

    config.update_etc(str(conf))
    from trytond.pool import Pool
    from trytond.transaction import Transaction
    from trytond.worker import run_task

    Pool.start()
    pool = Pool("drip")
    with Transaction().start("drip", 0, readonly=True):
        pool.init()
    with Transaction().start("drip", 1) as transaction:
        _scenario(pool, seconds)
        transaction.commit()
    began = time.time()
    with Transaction().start("drip", 1) as transaction:
        Party = pool.get("party.party")
        Party.create(
            [
                {
                    "name": f"Hanako {n}",
                    "contact_mechanisms": [("create", [{"type": "email", "value": f"p{n}@example.com"}])],
                }
                for n in range(people)
            ]
        )
        transaction.commit()
    joined = time.time()
    while _sent(pool) < 2 * people:
        for name, method in (
            ("marketing.automation.scenario", "trigger"),
            ("marketing.automation.record.activity", "process"),
        ):
            with Transaction().start("drip", 1, context={"_skip_warnings": True}) as transaction:
                getattr(pool.get(name), method)()
                transaction.commit()
            # As its cron does where no worker of its own is configured.
            while transaction.tasks:
                run_task("drip", transaction.tasks.pop())
    print(json.dumps({"began": began, "joined": joined, "ended": time.time()}))


def _scenario(pool: Any, seconds: int) -> None:
    Scenario, Activity = pool.get("marketing.automation.scenario"), pool.get("marketing.automation.activity")
    [scenario] = Scenario.create(
        [{"name": "drip", "model": "party.party", "domain": '[["contact_mechanisms", "!=", null]]'}]
    )
    mail = {"action": "send_email", "email_template": MAIL}
    [first] = Activity.create([{"name": "first", "parent": str(scenario), "email_title": "first mail", **mail}])
    Activity.create(
        [
            {
                "name": "second",
                "parent": str(first),
                "email_title": "second mail",
                "delay": datetime.timedelta(seconds=seconds),
                **mail,
            }
        ]
    )
    Scenario.run([scenario])


def _sent(pool: Any) -> int:
    from trytond.transaction import Transaction

    with Transaction().start("drip", 1, readonly=True):
        Activity = pool.get("marketing.automation.record.activity")
        return int(Activity.search([("state", "=", "done")], count=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(int(argument) for argument in sys.argv[2:5]))
