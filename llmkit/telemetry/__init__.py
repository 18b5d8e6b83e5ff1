"""Events of sessions, connections and requests."""
