"""What people read outside the library."""
