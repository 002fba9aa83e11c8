"""What the API shows: shapes and the queries that fill them. Reads only."""
