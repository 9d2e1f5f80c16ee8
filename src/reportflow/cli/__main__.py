"""``python -m reportflow.cli`` is ``reportflow``."""

from reportflow.cli import main

main()
