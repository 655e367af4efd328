"""Groups of processes: which group each process belongs to, the rows of the groups, and their past and verdicts.

``naming`` finds the group of a process, ``sums`` adds up the members, and ``charge`` has what the cgroup of a group is
charged. ``group_series`` notes the series of groups, ``group_growth`` keeps and judges them, and ``event_counts``
counts OOM kills and restarts. ``group_rows`` builds the rows of all that, ``group_tree`` puts cgroups into their tree,
and ``group_table`` owns the state.
"""
