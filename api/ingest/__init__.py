"""The Segment-shaped door: what web apps send, checked and turned into `Incoming`, at speed.

    door.py      what is asked of a request before and after its calls are read: key, size, limits, CORS, answer
    batches.py   many calls at once, each with a fate of its own
    reading.py   bytes into calls: compressed bodies, strict JSON
    calls.py     the calls as they are sent
    checks.py    what is wrong with a call, by the names of its fields
    events.py    calls into `Incoming`
    described.py the same for OpenAPI

Nothing here asks a framework to look up, validate or inject anything: what happens for every event is plain code.
"""
