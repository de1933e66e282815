"""One module a generated page of docs/."""
