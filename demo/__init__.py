"""Plays two visitors through the main journey, on a desk of its own. A client only: it imports nothing of ours."""
