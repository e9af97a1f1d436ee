"""The console's pieces by themselves: words, sentences, sessions, what browsers are told."""
