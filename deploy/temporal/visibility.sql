-- Temporal keeps what its lists are searched by in a database of its own.
CREATE DATABASE temporal_visibility;
