"""Google's clients behind the ports: the only modules that import google.*.

Each client is imported inside the factory that builds it, so a function pays for what it uses.
"""
