"""One function for each address: it asks the API and says what to show."""
