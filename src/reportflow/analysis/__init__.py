"""What reads definitions and histories: static checks, and the matrix of who may do what."""
