"""The desk stack: everything tabiji needs on one machine, started and watched by one command."""
