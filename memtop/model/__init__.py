"""The values that go from the engine to a view: the frame, its rows, the assessment. All are immutable."""
