"""Deploys while people are under way: versions, recorded histories, the check before, the move after."""
