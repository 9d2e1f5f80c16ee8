"""What people read outside the library: acts as phrases, for the terminal and the portal alike."""
