"""What can go wrong, each fault with the signal that it must give and by when; and the hands that make it go wrong."""
