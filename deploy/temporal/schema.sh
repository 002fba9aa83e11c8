#!/bin/sh
# Makes or updates Temporal's tables, in temporalio/admin-tools. Where to is said by the SQL_ variables.
# Run again after every rise of the image's version, before the server's.
set -eu

bring_up_to_date() {
    SQL_DATABASE="$1"
    export SQL_DATABASE
    versions="/etc/temporal/schema/postgresql/v12/$2/versioned"
    # A database without version tables refuses the update: then they are made first.
    if ! temporal-sql-tool update-schema -d "$versions"; then
        echo "schema: $1 is new, setting it up"
        temporal-sql-tool setup-schema -v 0.0
        temporal-sql-tool update-schema -d "$versions"
    fi
}

bring_up_to_date temporal temporal
bring_up_to_date temporal_visibility visibility
echo "schema: up to date"
