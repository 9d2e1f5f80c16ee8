"""The office: its records and lifecycles, written with the public words of the floors below."""
