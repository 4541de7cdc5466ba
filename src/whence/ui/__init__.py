"""Pages; they talk to the API only."""
