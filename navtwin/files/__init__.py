"""The door for files of other programs: what a file is, reading it without harm, writing it whole. Each room brings its own formats."""
