"""Square markers in images: found, read and their corners fitted."""
