"""A house in memory: what an application does in its database, done in a few dictionaries, by the same pure functions.

It records events, finds who waits for them, decides who enters, keeps what journeys do to contacts, and sends nothing.
The tests under tests/contract hold it to the same answers as SQLite and PostgreSQL.
"""
