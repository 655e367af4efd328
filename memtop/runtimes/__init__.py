"""Language runtimes: one package each behind one protocol (protocol), listed in one table (registry).

A runtime reads only through the Access that it receives, on the blocking thread. Decoding, judgment, sentences, facts
and JSON are pure functions of what was read.
"""
