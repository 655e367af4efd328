"""The pictures of the README: recordings of real processes, and the dashboard drawn over them.

``python -m tests.screenshots`` draws, ``python -m tests.screenshots --record`` makes the recordings anew.
"""
