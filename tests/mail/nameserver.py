"""A real name server over UDP, with the records a test gives it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import cast

from dns import flags, message, rcode, rdataclass, rdatatype, rrset
from dns.message import QueryMessage

Zone = Mapping[tuple[str, str], list[str]]
"""Records by name and type. What has a name below it exists."""


class _Answers(asyncio.DatagramProtocol):
    def __init__(self, zone: Zone, *, broken: bool) -> None:
        self._zone = zone
        self._broken = broken

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = cast("QueryMessage", message.from_wire(data))
        answer = message.make_response(query)
        answer.flags |= flags.RA
        [question] = query.question
        name, kind = question.name.to_text(omit_final_dot=True), rdatatype.to_text(question.rdtype)
        known = self._zone.get((name, kind))
        if self._broken:
            answer.set_rcode(rcode.SERVFAIL)
        elif known:
            answer.answer.append(rrset.from_text(question.name, 60, rdataclass.IN, question.rdtype, *known))
        elif not any(there == name or there.endswith(f".{name}") for there, _ in self._zone):
            answer.set_rcode(rcode.NXDOMAIN)
        self._transport.sendto(answer.to_wire(), addr)


@asynccontextmanager
async def nameserver(zone: Zone, *, broken: bool = False) -> AsyncGenerator[int]:
    """Run one on a free port. `broken`: it answers that it cannot answer."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Answers(zone, broken=broken), local_addr=("127.0.0.1", 0)
    )
    port: int = transport.get_extra_info("sockname")[1]
    try:
        yield port
    finally:
        transport.close()
