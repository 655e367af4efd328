"""What crosses from the engine to a view: the frame, its rows, and what was judged. Immutable values only."""
