"""The verbs authors write journeys with, a file for each kind."""
