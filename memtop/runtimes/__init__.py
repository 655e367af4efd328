"""Language runtimes: one package each behind one protocol (protocol), listed in one table (registry).

A runtime reads only through the Access it is given, on the blocking thread. Decoding, judgement, sentences, facts and
JSON are pure functions of what was read.
"""
