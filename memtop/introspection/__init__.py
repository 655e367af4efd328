"""Inside Go and the JVM: whom to ask, what they told, what it means. Parsing is done in :mod:`memtop.runtimes`.

- ``lens``: whose turn it is, and what is known by now; all that the engine knows of this room
- ``dossier``: what is known of one program in one process
- ``insight``: the judgement on it
"""
