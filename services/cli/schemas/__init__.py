"""``fernamt schemas``: what is said on the wire, written down for machines from the code itself.

``catalogue`` lists it; ``json_schema`` describes every body, ``asyncapi`` the subjects on which
they travel (``exchanges``), ``typescript`` the same bodies as types. None of it is read back.
"""
