"""Whether a message may go to somebody now: pure rules over what is known, the same for one person and for many.

standing.py   what is known of a person that bears on it        (read by models.standing)
asked.py      what is to be sent
house.py      what the house's settings and topics say
decide.py     the rules in their order; a verdict with a reason that can be read
"""
