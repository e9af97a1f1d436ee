"""Parts of the command line that need no log: times, words, tables."""
