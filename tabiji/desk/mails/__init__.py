"""Templates of mails at the desk: checked, shown as they will look, sent as a test.

people   who they are rendered for: invented people, also the awkward ones
samples  what else a mail is told: links, sender, what a notice to a team is about
check    what is wrong with them, with file, line, person and remedy
preview  a page that shows them, wide and narrow, and follows every save
send     one of them as a test to an address of one's own
"""
