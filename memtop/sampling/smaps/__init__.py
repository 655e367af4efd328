"""smaps and smaps_rollup, the dear readings: who is read, when, and what they bring.

- ``dear``: whose turn it is, and what is known by now; all that the engine knows of this room
- ``intake``: what is asked of the Source, and what comes back
- ``dossier``: what is known of one program in one process
- ``digest``: from the text of smaps to a reading
- ``relatives``: a family, and what its members share
"""
