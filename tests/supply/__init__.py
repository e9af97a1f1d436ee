"""What is shipped of others: from which files, under which licences, with which known holes.

``make audit`` is ``python -m tests.supply``.
"""
