"""`python -m ablations`: the command line, where `ablate` is not on the path."""

from ablations.cli import main

if __name__ == "__main__":
    main()
