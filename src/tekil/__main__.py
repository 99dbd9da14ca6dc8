"""`python -m tekil` is `tekil`."""

from tekil.cli import main

if __name__ == "__main__":
    main()
