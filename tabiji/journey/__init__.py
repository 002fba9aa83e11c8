"""The language journeys are written in. Speaks to `temporalio.workflow` only."""
