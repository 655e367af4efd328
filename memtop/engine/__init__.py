"""Makes frames of samples and their history: the rows (PSS included), what is frozen in a pause, what is in the past.

``engine`` takes each sample, ``updater`` updates the ``state`` by it, and ``frame_builder`` makes the frame.
``sampler_thread`` calls the engine on time, in a separate thread.
``frozen_view`` keeps the instant of a pause. ``row_builder`` and ``row_table`` make the rows, and ``row_selection``
filters and sorts them. ``focus_readers`` requests smaps and the runtime of the process in focus.
"""
