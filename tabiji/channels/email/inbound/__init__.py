"""Mail that comes in: what came back, what somebody complained of, what a program or a person answered.

letter.py     one mail as it is: what sort, which failures, which message of ours it names
report.py     reports made for programs: delivery status (RFC 3464), feedback (RFC 5965)
prose.py      reports made for people: why a mail did not arrive, in words of many servers
automatic.py  answers of programs told apart from those of people (RFC 3834)
answer.py     what a person wrote, without what they quoted
door.py       the SMTP server in front of it all
"""
