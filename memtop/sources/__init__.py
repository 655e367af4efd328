"""Sources of all data: the live machine, a recording, a program's metrics over HTTP.

No other package reads anything.
"""
