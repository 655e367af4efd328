"""The engine: turns samples and their history into frames for the views.

``engine`` holds the state and makes each frame. ``sampler_thread`` calls it on time, in a separate thread.
``frozen_view`` keeps the instant of a pause. ``row_builder`` and ``row_table`` make the rows, and ``row_selection``
filters and sorts them. ``focus_readers`` requests smaps and the runtime of the process in focus.
"""
