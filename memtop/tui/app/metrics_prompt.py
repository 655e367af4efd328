"""Prompt for the address of a Go program's metrics, with suggestions from its listening sockets."""

from __future__ import annotations

from collections.abc import Callable

from memtop.sampling.request import Need
from memtop.tui.app.app_state import AppState
from memtop.tui.dialogs.address_prompt import MOST_SUGGESTED, SUGGESTED, AddressPrompt
from memtop.tui.dialogs.dialog import Choice, Menu
from memtop.tui.panels.switcher import RUNTIME

_OTHER = "another address …"
_NONE = "stop reading"


def ask_go_url(app: AppState, show_panel: Callable[[], None]) -> None:
    """Ask for the metrics address of the process in focus, and suggest its own listening sockets.

    ``show_panel`` brings the chosen panel on screen.
    """
    focus = app.view.readings.focus
    if app.settings.replay:
        app.say("a recording is being played, so no HTTP requests are made", severity="warning")
        return
    if focus is None:
        return
    detail = app.frame.detail if app.frame is not None else None
    runtime = detail.runtime if detail is not None else None
    suggested = (runtime.suggested or ())[:MOST_SUGGESTED] if runtime is not None else ()
    asked = any(pid in (None, focus.pid) for pid, _ in app.view.readings.go_urls)
    choices = [Choice(url, url, str(number)) for number, url in enumerate(suggested, 1)]
    choices.append(Choice(_OTHER, _OTHER, "o"))
    if asked:
        choices.append(Choice(_NONE, _NONE, "s"))

    def use(url: str) -> None:
        others = tuple(each for each in app.view.readings.go_urls if each[0] not in (None, focus.pid))
        app.choose_readings(go_urls=others if url == _NONE else (*others, (focus.pid, url)))
        app.choose(panel=RUNTIME)
        show_panel()

    def typed(url: str | None) -> None:
        app.need_for_dialog(Need.NONE)
        if url is not None:
            use(url)

    def chosen(url: str | None) -> None:
        if url == _OTHER:
            reads = not asked and not suggested
            if reads:
                app.need_for_dialog(AddressPrompt.needs)
            app.push_screen(AddressPrompt(focus, reads=reads), typed)
        elif url is not None:
            use(url)

    if len(choices) == 1:
        chosen(_OTHER)
        return
    says = SUGGESTED if suggested else ""
    app.push_screen(Menu(f"Read the Go metrics of {focus.pid} from", choices, says), chosen)
