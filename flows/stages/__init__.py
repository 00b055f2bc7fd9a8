"""One file, one request, one flow."""
