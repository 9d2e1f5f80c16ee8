"""The edges: what keeps records, behind one contract. Import each name from the module that owns it."""
