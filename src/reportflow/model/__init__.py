"""The values: who asks, what is kept, what happened, what is asked for. Import each from the module that owns it."""
