"""Sampling: reads chosen files of all processes through a Source and makes one immutable Sample.

:mod:`memtop.engine.sampler_thread` is the thread that calls it at each interval. :mod:`memtop.engine.frozen_view`
implements pause: sampling continues, and the views keep the frame of one instant.
"""
