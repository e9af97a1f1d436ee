"""The command ``fernamt``: one file for each verb."""
