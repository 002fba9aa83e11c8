"""`tabiji check`: what would go wrong with journeys, found in their source before anything runs."""

from tabiji.journey.check.findings import Finding, Limits, Module, Project, Severity
from tabiji.journey.check.run import check, check_project

__all__ = ["Finding", "Limits", "Module", "Project", "Severity", "check", "check_project"]
