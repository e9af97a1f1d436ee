"""The console: the web page on which an operations team sees what happens, and finds out why.

It speaks with the engine over the broker only, as the service ``console``, and changes nothing.
"""
