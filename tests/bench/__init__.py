"""``python -m tests.bench``: memtop beside its peers, in equal terminals, by CPU time, memory and output.

It is a command and no test: figures depend on the machine, so contestants take turns and what counts is the ratio
of medians within one run.
"""
