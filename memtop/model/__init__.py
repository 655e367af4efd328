"""The values that go from the engine to a view: the frame, its rows, the assessment. Immutable values only."""
