"""Schedules the expensive readings, smaps, smaps_rollup and pagemap, and keeps their results.

- ``scheduler``: whose turn it is, and what is known by now; all that the engine knows of this package
- ``collector``: what is asked of the Source, and what comes back
- ``process_readings``: what is known of one program in one process
- ``parse_worker``: from the text of smaps to a reading, in the background where it is long
- ``family``: fork relatives, and what they share
- ``smaps_view``: the values that views are given
"""
