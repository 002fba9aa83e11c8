"""What mail providers tell of our mails: `POST /v1/carriers/{name}`. One file a provider.

said        what all of them come down to
sns         how Amazon signs, and how its certificates are fetched
door        the route: proved, read, stored, answered
"""
