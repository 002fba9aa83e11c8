"""Is everything there that mail needs to arrive? What `tabiji mail check` asks.

findings   how an answer is told
names      asks the DNS, and tells "there is none" from "could not ask"
records    judges what the DNS says: SPF, DKIM, DMARC
check      all of it, for the settings at hand
"""
