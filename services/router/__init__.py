"""The only writer of the log: takes commands, appends what follows, answers after the commit."""
