"""One DWN behind HTTP and WebSocket: requests, data both ways, and subscriptions."""
