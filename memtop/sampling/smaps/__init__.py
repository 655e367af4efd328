"""Schedules the expensive readings, smaps, smaps_rollup and pagemap, and keeps their results.

- ``scheduler``: which readings are due, and what is known by now; the only module that the engine uses
- ``admission``: whether one reading may begin now, within its budget
- ``collector``: requests to the Source, and its answers
- ``process_readings``: the record of one program in one process
- ``parse_worker``: turns the text of smaps into a reading, in the background when it is long
- ``family``: fork relatives, and the memory that they share
- ``smaps_view``: the values that views receive
"""
