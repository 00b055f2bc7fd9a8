"""`python -m cole`: the same as the command `cole`."""

from flows.cli import main

if __name__ == "__main__":
    main()
