"""What each of the library's sample mails has to lead to, decided by reading them, one by one.

HARD     the address, or its domain, does not exist: suppressed at once
SOFT     it came back for now, or for a reason nobody gives: counts towards the rule for soft bounces
BLOCKED  whom it came from or how it looked: nothing happens to the address
DELAY    it is still tried: nothing happens at all
AUTO     a program's answer
REPLY    a person's answer

Where we think otherwise than the library: it calls whatever did not arrive permanent, a full mailbox and a network that
was down for two days alike. We suppress only what does not exist.
"""

from __future__ import annotations

from typing import NamedTuple

HARD, SOFT, BLOCKED, DELAY, AUTO, REPLY = "hard", "soft", "blocked", "delay", "auto_reply", "reply"


class Expected(NamedTuple):
    """What follows for each recipient the sample is about; `named`: whether it says whom."""

    outcome: str
    recipients: tuple[str, ...]
    named: bool = True


def one(outcome: str, *recipients: str) -> Expected:
    return Expected(outcome, recipients or ("userx@example.com",))


def nobody(outcome: str) -> Expected:
    """It does not say whom it is about; the address it comes back to does."""
    return Expected(outcome, ("userx@example.com",), named=False)


EXPECTED: dict[str, Expected] = {
    # "they are not accepting mail from …": about the sender, not about the screen name. The library: permanent.
    "aol_01": one(BLOCKED, "screenname@aol.com"),
    # "mail box space not enough". The library does not know this server; where it came back to says whose it is.
    "bounce_01": nobody(SOFT),
    # "mailbox unavailable", code 550: what servers say of mailboxes they do not have.
    "bounce_02": one(HARD),
    # "has not been collected after 30 days": the mailbox is there. The library: permanent.
    "bounce_03": one(SOFT, "userx@example.uk"),
    # No reason at all.
    "caiwireless_01": one(SOFT),
    # Status 5.0.0, and in brackets: disk quota.
    "dsn_01": one(SOFT),
    # Timed out, 4.4.7, given up after three days. The library: permanent.
    "dsn_02": one(SOFT, "zzzzz@example.uk"),
    # Too large a message: of another size it may arrive.
    "dsn_03": one(BLOCKED, "userx@example.be"),
    "dsn_04": one(SOFT, "userx@example.ch"),
    "dsn_05": one(DELAY, "userx@example.cz"),
    "dsn_06": one(DELAY),
    "dsn_07": one(DELAY, "userx@example.nz"),
    "dsn_08": one(DELAY, "userx@example.de"),
    # "5.7.1 Unable to relay": a server of theirs does not let another one in.
    "dsn_09": one(BLOCKED),
    # Status 5.0.0; the words beside it: user unknown.
    "dsn_10": one(HARD, "anne.person@dom.ain"),
    # The same person named eleven times.
    "dsn_11": one(HARD, "joem@example.com"),
    # "Action: failed (Bad destination mailbox address)"
    "dsn_12": one(HARD, "userx@example.jp"),
    "dsn_13": one(HARD),
    # No Status, only a Diagnostic-Code.
    "dsn_14": one(HARD, "userx@example.com.dk"),
    "dsn_15": one(HARD),
    "dsn_16": one(HARD),
    # Over quota, and still tried for a day.
    "dsn_17": one(DELAY, "userx@example.fi"),
    # "Action: error", domain does not exist
    "dsn_18": one(HARD, "email@replaced.net"),
    # It says neither who nor why, only that it tried often enough. The library finds nothing.
    "dumbass_01": nobody(SOFT),
    "exim_01": one(HARD, "userx@its.example.nl"),
    "groupwise_01": one(HARD, "userx@example.EDU"),
    "groupwise_02": one(HARD),
    # An ordinary mail that was passed on; it has confused detectors.
    "groupwise_03": nobody(REPLY),
    "hotpop_01": one(SOFT),
    "llnl_01": one(HARD, "user1@example.gov"),
    "microsoft_01": one(HARD, "userx@example.COM"),
    "microsoft_02": one(HARD, "userx@example.COM"),
    # No reason at all.
    "microsoft_03": one(SOFT),
    "microsoft_04": one(HARD, "userx@example.COM"),
    # The host did not answer for two days. The library: permanent.
    "netscape_01": one(SOFT, "aaaaa@corel.com", "bbbbb@corel.com"),
    "newmailru_01": one(SOFT, "zzzzz@newmail.ru"),
    "postfix_01": one(HARD, "xxxxx@local.ie"),
    # "Host not found, try again": its name server was away. The library: permanent.
    "postfix_02": one(SOFT, "yyyyy@digicool.com"),
    # A virus scanner of theirs fell over. The library: permanent.
    "postfix_03": one(SOFT, "ttttt@ggggg.com"),
    "postfix_04": one(SOFT, "userx@mail1.example.com"),
    # 554 for a header it misses: no reason we can know to be about the person.
    "postfix_05": one(SOFT, "userx@example.net"),
    # The line for the reason is empty.
    "qmail_01": one(SOFT, "userx@example.de"),
    "qmail_02": one(SOFT),
    "qmail_03": one(HARD, "userx@example.jp"),
    "qmail_04": one(HARD, "userx@example.au"),
    "qmail_05": one(HARD),
    # "permanent error", and yet: a smaller message would be delivered.
    "qmail_06": one(SOFT, "ntl@xxx.com"),
    "qmail_07": one(SOFT, "user@example.net"),
    # "Gracias por contactar con nosotros", Precedence: auto_reply
    "qmail_08": nobody(AUTO),
    # A circle of servers.
    "sendmail_01": one(SOFT, "zzzzz@shaft.coal.nl", "zzzzz@nfg.nl"),
    # The transcript ends with: would exceed mailbox quota.
    "simple_01": one(SOFT, "bbbsss@example.com"),
    # "an error while being processed. Please try to resend"
    "simple_02": one(SOFT, "userx@example.net"),
    "simple_03": one(DELAY, "userx@example.za"),
    "simple_04": one(HARD),
    "simple_05": one(HARD, "userx@example.net"),
    "simple_06": one(HARD),
    "simple_07": one(SOFT, "userx@example.net"),
    "simple_08": one(HARD, "userx@example.de"),
    "simple_09": one(SOFT, "userx@example.de"),
    "simple_10": one(SOFT),
    "simple_11": one(HARD),
    "simple_12": one(HARD, "userx@example.ac.jp"),
    # In French: the address does not exist.
    "simple_13": one(HARD, "userx@example.fr"),
    # For usery, because of userx' quota.
    "simple_14": one(SOFT, "userx@example.com", "usery@example.com"),
    "simple_15": one(HARD, "userx@example.be"),
    # "an undisclosed address", and no reason.
    "simple_16": one(SOFT),
    "simple_17": one(SOFT),
    # A circle of servers.
    "simple_18": one(SOFT),
    "simple_19": one(HARD, "userx@example.com.ar"),
    "simple_20": one(SOFT),
    "simple_21": one(DELAY),
    # "could not be delivered", but: attempts will continue for five days.
    "simple_22": one(DELAY, "User@example.org"),
    "simple_23": one(HARD, "userx@example.it"),
    "simple_24": one(SOFT),
    "simple_25": one(HARD),
    "simple_26": one(HARD, "userx@example.it"),
    "simple_27": one(HARD, "userx@example.net.py"),
    "simple_28": one(DELAY),
    "simple_29": one(HARD),
    # 5.3.0 says nothing; "No such user here" does.
    "simple_30": one(HARD),
    "simple_31": one(SOFT, "userx@example.fr"),
    # "Could not find a gateway": their routing. The library: permanent.
    "simple_32": one(SOFT),
    "simple_33": one(HARD),
    "simple_34": one(HARD, "roland@example.com"),
    # A full mailbox, postponed.
    "simple_35": one(DELAY, "calvin@example.com"),
    "simple_36": one(HARD),
    # In the directory, without a mailbox.
    "simple_37": one(HARD, "user@example.edu"),
    "simple_38": one(SOFT),
    # In Russian and English: invalid mailbox, user not found; Auto-Submitted: auto-replied
    "simple_39": one(HARD, "userx@example.ru"),
    "simple_40": one(DELAY, "user@example.com"),
    "simple_41": one(HARD),
    # 5.0.0, and in the words: 5.7.1, taken for spam. The address is cut short; the library finds none.
    "simple_42": nobody(BLOCKED),
    # "One or more of the recipients are not a valid user", whoever: a message of ours has one. The library finds none.
    "simple_43": nobody(HARD),
    # 4.4.4 for 92 hours. The library: permanent.
    "simple_44": one(SOFT, "user@example.com"),
    "simple_45": one(SOFT, "subscriber@earthlink.net"),
    # In Chinese: trouble on the way.
    "sina_01": one(SOFT, "userx@sina.com", "usery@sina.com"),
    # "failed 20 attempts". The library: permanent.
    "smtp32_01": one(SOFT, "userx@example.ph"),
    "smtp32_02": one(SOFT),
    "smtp32_03": one(SOFT),
    "smtp32_04": one(HARD, "after_another@example.net", "one_bad_address@example.net"),
    "smtp32_05": one(SOFT),
    "smtp32_06": one(HARD, "Absolute_garbage_addr@example.net"),
    "smtp32_07": one(HARD),
    # No connection, for too long. The library: permanent.
    "yahoo_01": one(SOFT),
    "yahoo_02": one(SOFT, "userx@example.es"),
    # "disabled or discontinued": gone.
    "yahoo_03": one(HARD),
    "yahoo_04": one(SOFT, "userx@example.es", "usery@example.uk"),
    "yahoo_05": one(HARD, "userx@example.com", "usery@example.com"),
    "yahoo_06": one(HARD, *(f"user{one}@example.com" for one in "xyza")),
    "yahoo_07": one(HARD, *(f"user{one}@example.com" for one in "wxyz")),
    "yahoo_08": one(HARD, *(f"user{one}@example.com" for one in "abcdef")),
    "yahoo_09": one(HARD, "userx@example.com", "usery@example.com"),
    "yahoo_10": one(HARD, *(f"user{one}@example.com" for one in "xyz")),
    "yahoo_11": one(HARD, "bad_user@aol.com"),
    # No reason at all.
    "yahoo_12": one(SOFT, "user@yahoo.com"),
    "yahoo_13": one(HARD, "bogus-address@example.net"),
    # Not found in the directory; the library makes two addresses of it.
    "yale_01": one(HARD, "userx@cs.yale.edu"),
}
