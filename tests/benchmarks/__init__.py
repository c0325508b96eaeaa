"""How fast events go through on this machine: `python -m tests.benchmarks`.

    workload     the SQS event that every contender gets
    contenders   ours and its peers, each a handler in a file of its own
    worker       the program that calls one contender's handler, on one core
    stand_in     the program that answers like Kochava and like SQS, on another core
    share        Lambda's share of a core, by a cgroup
    lab          runs cells: a contender, a setting, and what it took
    cells        which cells there are
    packaging    the built artifact's import and size
    figures      medians and ratios of what they took
    goals, tables, plot, document     what is judged, shown and written

Loopback only. Everything that is started ends with the run.
"""
