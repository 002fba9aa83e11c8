"""Commands about the way mails go out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from tabiji.cli.common import settings

app = typer.Typer(help="The way mails go out: relays, signature, DNS.", no_args_is_help=True)


@app.command("check")
def mail_check(
    dns: Annotated[
        str | None, typer.Option(help="Name server to ask, host or host:port. Absent: this machine's.")
    ] = None,
) -> None:
    """Look whether mail can arrive: relays, TLS, login, and what the DNS says of SPF, DKIM, DMARC."""
    import asyncio

    from tabiji.channels.email.checks.check import check
    from tabiji.channels.email.checks.findings import State
    from tabiji.channels.email.checks.names import Names

    host, _, port = (dns or "").partition(":")
    findings = asyncio.run(check(settings(), Names(host or None, port=int(port or 53))))
    for finding in findings:
        typer.echo(f"{finding.state.value:>13}  {finding.about}: {finding.words}")
        if finding.todo:
            typer.echo(f"{'':>13}  → {finding.todo}")
    if any(finding.state is State.WRONG for finding in findings):
        raise typer.Exit(1)


@app.command("key")
def mail_key(
    file: Annotated[Path, typer.Argument(help="Where the private key goes, e.g. dkim-2026.pem.")],
    selector: Annotated[str, typer.Option(help="Its name in the DNS; a new one for each key, e.g. tabiji2026.")],
    domain: Annotated[str | None, typer.Option(help="Whose it is. Absent: the sender's.")] = None,
    algorithm: Annotated[
        Literal["rsa", "ed25519"], typer.Option(help="Everybody checks rsa; sign with ed25519 beside it, not alone.")
    ] = "rsa",
) -> None:
    """Make a key that signs mails (DKIM), and print what the DNS has to say of it."""
    from tabiji.channels.email.compose import Mailbox
    from tabiji.channels.email.dkim import make_key, record_of, zone_line

    owner = domain or Mailbox.parse(settings().mail_from, "TABIJI_MAIL_FROM").domain
    pem = make_key(algorithm)
    _keep(file, pem)
    typer.echo(f"The DNS of {owner}:\n\n{zone_line(selector, owner, record_of(pem))}\n")
    typer.echo(f"When it is there (`tabiji mail check`):\n\nTABIJI_DKIM_SELECTOR={selector}\nTABIJI_DKIM_KEY={file}")
    typer.echo(f"TABIJI_DKIM_DOMAIN={owner}")


def _keep(file: Path, pem: bytes) -> None:
    """For its owner's eyes, and never over another key."""
    import os

    from tabiji.errors import ConfigurationError

    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as problem:
        raise ConfigurationError(f"{file} cannot be made: {problem.strerror}. Nothing was written.") from None
    with os.fdopen(handle, "wb") as opened:
        opened.write(pem)
