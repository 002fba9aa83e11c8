"""Plays a journey before launch, on the real engine with time skipped: for invented people, or for what happened."""
