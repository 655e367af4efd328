"""The application: its state, its keys and what they do."""
