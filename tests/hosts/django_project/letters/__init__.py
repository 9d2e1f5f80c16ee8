"""The application with the letters."""
