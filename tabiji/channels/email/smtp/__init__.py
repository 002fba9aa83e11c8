"""The SMTP side: bytes go to a relay that takes them.

answers    what a refusal means
line       one connection, spoken to with several commands at once where the relay allows it
queueing   who waits behind whom: for a connection, for a rate
relay      one relay: connections that are kept, and whether it is worth asking
relays     the carrier: signature, rates, several relays and fail-over
settings   all of it as the settings say
"""

from tabiji.channels.email.smtp.line import Endpoint
from tabiji.channels.email.smtp.queueing import Rates
from tabiji.channels.email.smtp.relay import Route
from tabiji.channels.email.smtp.relays import Relays, SmtpRelay

__all__ = ["Endpoint", "Rates", "Relays", "Route", "SmtpRelay"]
