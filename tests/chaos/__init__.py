"""The engine under faults: a workload, a nemesis, a recorded history and what checks it."""
