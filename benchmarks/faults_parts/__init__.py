"""Parts of `navtwin bench faults`."""
