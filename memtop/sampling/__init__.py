"""Sampling: reads chosen files of all processes through a Source and makes one immutable Sample.

The thread that calls it at each interval is :mod:`memtop.engine.sampler_thread`; pause is
:mod:`memtop.engine.frozen_view`: sampling goes on, and the views keep the frame of one instant.
"""
