"""What is checked by tools that do not come as Python packages."""
