"""Table of the key bindings of the whole screen. Those of one panel are on its widget.

Each has an ID, so that users can rebind it, and a tooltip, which the help shows. No single key does harm: k, which
kills in some peers, moves up.
"""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

from memtop.tui.panels.switcher import BY_NAME


def _key(keys: str, action: str, label: str, says: str, *, priority: bool = False) -> Binding:
    return Binding(keys, action, label, id=f"app.{action}", tooltip=says, show=False, priority=priority)


def panel_keys() -> list[Binding]:
    """The key of each panel, from its position in the table of panels."""
    return [
        Binding(
            str(number),
            f"panel({number})",
            f"{panel.title} panel",
            id=f"app.panel{number}",
            show=False,
            tooltip=f"{panel.title}: {panel.says}; press again to close",
        )
        for number, panel in enumerate(BY_NAME.values(), 1)
    ]


THEMES: Final[dict[str, tuple[Binding, ...]]] = {
    "Everywhere": (
        _key("question_mark,h,f1", "help", "Help", "All keys and columns"),
        _key("e", "explain", "Explain", "Explain the number under the cursor, with this process's own numbers"),
        _key("ctrl+p", "command_palette", "Palette", "Find a key, a panel or a topic by name"),
        _key(
            "escape",
            "step_out",
            "Close or go back",
            "Close, clear the filter, leave the maximized view, return to now; never quits",
        ),
        _key(
            "exclamation_mark",
            "headline",
            "Go to the headline",
            "Go to what the headline names; press again to list all incidents",
        ),
        _key("space,Z", "pause", "Pause", "Freeze the screen; sampling continues"),
        _key("ctrl+z", "suspend_process", "Suspend", "Back to the shell; its command fg continues", priority=True),
        Binding("q,ctrl+c,f10", "quit", "Quit", id="app.quit", tooltip="Quit", show=False, priority=False),
    ),
    "The list": (
        _key(  # with priority, so that text typed right after it goes into the filter
            "slash,f4,backslash",
            "filter",
            "Filter",
            "Filter as you type: text, !regex, or terms such as rss>1g user=app",
            priority=True,
        ),
        _key("f", "like", "Filter like this", "Show only processes of the same program, container, unit or user"),
        _key("s,f6", "sort_menu", "Sort", "Choose the column to sort by"),
        _key("M", "sort('res')", "Sort by memory", "Sort by RES"),
        _key("P", "sort('cpu')", "Sort by CPU", "Sort by CPU time"),
        _key("N", "sort('pid')", "Sort by PID", "Sort by PID"),
        _key("T", "sort('growth')", "Sort by growth", "Sort by growth over the last minute"),
        _key("less_than_sign", "neighbor(-1)", "Sort by left column", "Sort by the column to the left"),
        _key("greater_than_sign", "neighbor(1)", "Sort by right column", "Sort by the column to the right"),
        _key("I", "reverse", "Reverse the order", "Reverse the order"),
        _key(
            "t,f5",
            "tree",
            "Tree",
            "Parents and children; a folded one shows the total of its subtree; sorted by the largest value in each",
        ),
        _key(
            "b",
            "by",
            "Groups",
            "List processes, or groups by cgroup (t: their tree), container, pod, unit, user, program",
        ),
        _key("c", "columns", "Columns", "Choose and order the columns"),
        _key("u", "user", "Filter by user", "Show one user's processes"),
        _key("a", "everybody", "All processes", "Show all processes, or only those given on the command line"),
        _key("H", "kernel_threads", "Kernel threads", "Show or hide kernel threads"),
        _key("p", "go_to_pid", "Go to PID", "Select a process by its PID"),
        _key("D", "ended", "Ended processes", "List the processes that have ended: watched, large or killed"),
    ),
    "Time and chart": (
        _key(
            "left", "look(-1)", "Look back", "Look back by one sample, or a few seconds if the chart covers a long time"
        ),
        _key("right", "look(1)", "Look forward", "Look forward by the same amount"),
        _key("left_square_bracket", "look(-10)", "Look further back", "Look back ten times as far"),
        _key("right_square_bracket", "look(10)", "Look further forward", "Look forward ten times as far"),
        _key("end", "live", "Return to now", "Return to now; press again for the last line of the list or panel"),
        _key(
            "colon",
            "seek",
            "Go to time",
            "Go to a time, such as 12:03:40, or -2m (before now or the end), or +30s (after the start)",
        ),
        _key(
            "left_curly_bracket",
            "event(-1)",
            "Previous event",
            "Go to the previous event: an OOM kill, a limit crossed, a verdict, a restart, an end, a mark",
        ),
        _key("right_curly_bracket", "event(1)", "Next event", "Go to the next event"),
        _key("left_parenthesis", "speed(-1)", "Slower", "In a recording: play slower, down to 1/8"),
        _key("right_parenthesis", "speed(1)", "Faster", "In a recording: play faster, up to 64 times"),
        _key("plus", "zoom_time(0.5)", "Zoom in", "Zoom in: less time, more detail"),
        _key("minus", "zoom_time(2.0)", "Zoom out", "Zoom out: more of the past"),
        _key("equals_sign", "zoom_time(0)", "Reset zoom", "Reset the zoom to five minutes"),
        _key(
            "v",
            "scale",
            "Scale of the chart",
            "Scale: VIRT and RES together, each on its own, RES alone, logarithmic, or automatic",
        ),
        _key("d", "delay", "Time between samples", "Time between samples, 0.1 to 60 s"),
        _key(
            "w",
            "record",
            "Record to a file",
            "Record to a new file here, starting with what is in memory; press again to stop",
        ),
    ),
    "Panels": (
        *panel_keys(),
        _key(
            "tab",
            "focus_next",
            "Focus the next part",
            "Focus the next part; Shift+Tab goes back and also reaches RAM in the header",
        ),
        _key("z", "zoom_panel", "Maximize", "Maximize the focused part; press again to restore"),
        _key(
            "R",
            "read_now",
            "Read mappings now",
            "Read smaps once, even if the process's mmap and munmap calls have to wait, and show how long it took",
        ),
        _key("U", "go_url", "Go metrics", "Read the metrics of a Go program from a given address"),
    ),
    "The selected process": (
        _key("m", "mark", "Mark", "Set or clear a mark, to see what has grown since, and where"),
        _key("K,f9,x", "signal", "Kill", "Send a signal (kill) to the selected process; opens a dialog first"),
        _key("r", "renice", "Renice", "Renice: change the nice value of the selected process; opens a dialog first"),
        _key(
            "n",
            "successor",
            "Next process or incident",
            "Go to the process that replaced an ended one, and follow every later one until n is pressed again; "
            "if nothing has ended, go to the next incident",
        ),
        _key("E", "report", "Write a report", "Write an HTML report to the current directory"),
        _key(
            "y",
            "copy_pid",
            "Copy PID",
            "Copy the PID; press again to copy the command of the next step. In What is going on (Tab), copy that",
        ),
        _key("Y", "copy_command", "Copy command", "Copy the command line"),
    ),
}
"""All keys of the screen, in the order of the help."""
BINDINGS: Final[list[Binding]] = [binding for bindings in THEMES.values() for binding in bindings]
