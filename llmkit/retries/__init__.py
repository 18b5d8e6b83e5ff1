"""When a request is sent again, and when calls wait."""
