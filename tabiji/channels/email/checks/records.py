"""Judges what the DNS says of a domain that sends mail: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tabiji.channels.email.checks.findings import Finding, State

_SPF = re.compile(r"v=spf1(?:\s|$)", re.IGNORECASE)
_DMARC = re.compile(r"v\s*=\s*DMARC1\s*(?:;|$)")


def spf(domain: str, texts: Sequence[str]) -> Finding:
    """What a domain says of who may send for it."""
    about = f"SPF of {domain}"
    records = [text for text in texts if _SPF.match(text)]
    if not records:
        todo = f'{domain}. IN TXT "v=spf1 include:<your relay\'s> -all"'
        return Finding(about, State.WRONG, "there is none: receivers cannot tell your relay from a forger", todo)
    if len(records) > 1:
        return Finding(about, State.WRONG, f"there are {len(records)}, which counts as none: keep one", None)
    terms = records[0].lower().split()
    if "+all" in terms or "all" in terms:
        return Finding(about, State.WRONG, "it lets everybody send for you: end it with -all or ~all", None)
    if terms[-1] not in ("-all", "~all") and not terms[-1].startswith("redirect="):
        return Finding(about, State.ADVICE, "it says nothing of others than those named: end it with -all or ~all")
    return Finding(about, State.OK, f"{records[0]} (that it names your relay's addresses, the relay has to tell you)")


def dkim(name: str, texts: Sequence[str], wanted: str, line: str) -> Finding:
    """Whether the public key in the DNS is that of our private one.

    Args:
        name: Where it was looked for.
        texts: What is there.
        wanted: What should be.
        line: The same, as a zone file has it.
    """
    about = f"DKIM key at {name}"
    if not texts:
        return Finding(about, State.WRONG, "it is not in the DNS: signatures cannot be checked", line)
    if len(texts) > 1:
        return Finding(about, State.WRONG, f"there are {len(texts)} records, and receivers may take any of them", line)
    found, ours = tags(texts[0]), tags(wanted)
    if found.get("p") == "":
        return Finding(about, State.WRONG, "it has been revoked: p is empty", line)
    if (found.get("k", "rsa"), found.get("p")) != (ours["k"], ours["p"]):
        return Finding(about, State.WRONG, "it is another key than the one mails are signed with", line)
    if "y" in found.get("t", "").split(":"):
        return Finding(about, State.ADVICE, "it says t=y, a test: receivers may treat signed mail as unsigned")
    return Finding(about, State.OK, "it is the key mails are signed with")


def dmarc(domain: str, texts: Sequence[str]) -> Finding:
    """What a domain asks receivers to do with mail that nobody stands for."""
    about = f"DMARC of {domain}"
    records = [text for text in texts if _DMARC.match(text)]
    if not records:
        todo = f'_dmarc.{domain}. IN TXT "v=DMARC1; p=none; rua=mailto:dmarc@{domain}"'
        return Finding(about, State.WRONG, "there is none: the large providers ask it of who sends much", todo)
    if len(records) > 1:
        return Finding(about, State.WRONG, f"there are {len(records)}, which counts as none: keep one")
    policy = tags(records[0]).get("p", "").lower()
    if policy not in ("none", "quarantine", "reject"):
        return Finding(about, State.WRONG, f"p={policy} is no policy: none, quarantine or reject")
    if policy == "none":
        words = "p=none only watches: when its reports show nothing but your own mail, say quarantine, then reject"
        return Finding(about, State.ADVICE, words)
    return Finding(about, State.OK, f"p={policy}")


def aligned(sender: str, others: Sequence[tuple[str, str]]) -> Finding:
    """Whether somebody who is checked stands for the address people see (DMARC, relaxed).

    Args:
        sender: The domain people see.
        others: What was checked, and the domain it is for: the signature's, the return path's.
    """
    about = f"alignment with {sender}"
    close = [what for what, domain in others if _akin(sender, domain)]
    if close:
        return Finding(about, State.OK, f"by {' and '.join(close)}")
    names = ", ".join(f"{what}: {domain}" for what, domain in others) or "no signature, no return path of its own"
    todo = f"sign for {sender}: TABIJI_DKIM_DOMAIN={sender}, and its key in the DNS"
    return Finding(about, State.WRONG, f"nothing that is checked belongs to it ({names}): DMARC fails", todo)


def tags(record: str) -> dict[str, str]:
    """``v=DKIM1; k=rsa; p=…`` as a mapping; blanks in values do not count."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip(): re.sub(r"\s+", "", value) for name, found, value in pairs if found}


def _akin(one: str, other: str) -> bool:
    # Without the public suffix list, which changes by the week: one below the other, and not of top level alone.
    shorter, longer = sorted((one.lower(), other.lower()), key=len)
    return "." in shorter and (longer == shorter or longer.endswith(f".{shorter}"))
