"""Go: its build information, metrics, heap and what they mean."""
