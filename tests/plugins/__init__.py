"""Plugins that pytest loads for every run; `pyproject.toml` names them."""
