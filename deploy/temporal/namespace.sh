#!/bin/sh
# Makes the namespace journeys live in, if it is not there. The `temporal` command reads TEMPORAL_ADDRESS itself.
set -eu
: "${TEMPORAL_ADDRESS:?host:port of the frontend}"
: "${TEMPORAL_NAMESPACE:?name of the namespace}"

# A server that listens may still be gathering its parts.
tries=0
until temporal operator cluster health >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -ge 30 ]; then
        echo "namespace: Temporal at $TEMPORAL_ADDRESS does not get healthy" >&2
        exit 1
    fi
    sleep 2
done

if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
    echo "namespace: $TEMPORAL_NAMESPACE is there"
else
    # Only a beginning: the worker sets what TABIJI_RETENTION says whenever it starts.
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 90d
    echo "namespace: $TEMPORAL_NAMESPACE made"
fi
