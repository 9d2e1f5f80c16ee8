"""What a program needs that embeds a flow: a module for each framework, and what all of them share."""
