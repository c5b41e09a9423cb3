"""The door for files of other programs: what a file is, reading it without harm, writing it whole. Knows no format itself; each room brings its own."""
