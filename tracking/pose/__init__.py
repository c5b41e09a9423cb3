"""Where a body is, from the corners of its markers in one or several views."""
