"""The Textual application: its state, its key bindings, and their actions in ``actions_*.py``.

Pause begins in ``actions_time``, and :mod:`memtop.engine.frozen_view` keeps the instant. Frames come from
:mod:`memtop.engine.sampler_thread`. Where everything is placed, notices (toasts) too, is in ``app.tcss``. The signal
(kill) dialog is :mod:`memtop.tui.dialogs.signal_dialog`.
"""
