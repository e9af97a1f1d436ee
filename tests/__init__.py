"""The tests, one room for each kind; `COVERAGE.md` says which test covers which behaviour."""
