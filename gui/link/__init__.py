"""The link to the core: what is heard, what may be shown of it, and orders back."""
