"""The Textual application: its state, its key bindings, and their actions in ``actions_*.py``.

Pause begins in ``actions_time``, and :mod:`memtop.engine.frozen_view` keeps the instant. Frames come from
:mod:`memtop.engine.sampler_thread`. The signal (kill) dialog is :mod:`memtop.tui.dialogs.signal_dialog`.
"""
