"""`python -m navtwin`."""

from navtwin.cli import main

if __name__ == "__main__":
    main()
