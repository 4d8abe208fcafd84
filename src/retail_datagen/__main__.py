"""`python -m retail_datagen` is the command `retail-datagen`."""

from retail_datagen.cli.app import main

if __name__ == "__main__":
    main()
