"""Tables, the shapes the API shows, and the transactions that keep them right."""
