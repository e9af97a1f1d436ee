"""Page views, rules and what is judged, without servers."""
