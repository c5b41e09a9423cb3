"""What yields pictures: cameras, films, folders; and their recording."""
